extension Interpreter {
    /// Calls a method of `str`.
    func call(_ name: String, on text: Text, _ arguments: CallArguments) throws(TemplateError) -> Value {
        try step(text.bytes.count / 8)
        switch name {
        case "format": return try format(text, arguments)
        case "format_map":
            guard case .dict(let mapping) = try arguments.bind(name, ["mapping"], required: 1)[0] ?? .none else {
                throw TemplateError(.runtime, "format_map() argument must be a mapping")
            }
            var fields = CallArguments()
            for (key, value) in zip(mapping.table.keys, mapping.table.values) {
                if case .string(let key) = key { fields.keywords.append((key.string, value)) }
            }
            return try format(text, fields)
        case "strip", "lstrip", "rstrip": return try strip(name, text, arguments)
        case "split", "rsplit": return try split(name, text, arguments)
        case "splitlines":
            let keep = try arguments.bind(name, ["keepends"])[0]?.isTrue ?? false
            return try texts(text.lines(keepEnds: keep))
        case "partition", "rpartition": return try partition(name, text, arguments)
        case "startswith", "endswith": return try affix(name, text, arguments)
        case "removeprefix", "removesuffix":
            let affix = try positional(arguments, name, 1)[0].text("\(name)()")
            if name == "removeprefix" {
                return try string(
                    text.hasPrefix(affix) ? text.slice(bytes: affix.bytes.count..<text.bytes.count) : text)
            }
            let matches = !affix.isEmpty && text.hasSuffix(affix)
            return try string(matches ? text.slice(bytes: 0..<(text.bytes.count - affix.bytes.count)) : text)
        case "replace": return try replace(text, arguments)
        case "join": return try join(text, arguments)
        case "find", "rfind", "index", "rindex", "count": return try search(name, text, arguments)
        case "center", "ljust", "rjust", "zfill", "expandtabs": return try pad(name, text, arguments)
        case "encode", "maketrans", "translate":
            throw TemplateError(.unsupported, "the method '\(name)' of 'str' is not supported")
        default: return try plain(name, text, arguments)
        }
    }

    private func plain(_ name: String, _ text: Text, _ arguments: CallArguments) throws(TemplateError) -> Value {
        _ = try arguments.bind(name, [])
        try step(text.bytes.count / 8)
        switch name {
        case "upper": return try string(text.uppercased)
        case "lower": return try string(text.lowercased)
        case "casefold": return try string(text.caseFolded)
        case "capitalize": return try string(text.capitalized)
        case "title": return try string(text.titled)
        case "swapcase": return try string(text.swappedCase)
        case "islower": return .bool(text.isLower)
        case "isupper": return .bool(text.isUpper)
        case "istitle": return .bool(text.isTitle)
        default: return .bool(text.isAll(name) ?? false)
        }
    }

    /// Positional arguments only, `required` of them at least.
    private func positional(_ arguments: CallArguments, _ name: String, _ required: Int, most: Int? = nil)
        throws(TemplateError) -> [Value]
    {
        guard arguments.keywords.isEmpty else { throw TemplateError(.runtime, "\(name)() takes no keyword arguments") }
        guard (required...(most ?? required)).contains(arguments.positional.count) else {
            throw TemplateError(
                .runtime,
                "\(name)() takes \(required) to \(most ?? required) arguments (\(arguments.positional.count) given)")
        }
        return arguments.positional
    }

    private func texts(_ parts: [Text]) throws(TemplateError) -> Value {
        for part in parts { try charge(bytes: part.bytes.count + 32) }
        return try list(parts.map { .string($0) })
    }

    // MARK: Stripping

    private func strip(_ name: String, _ text: Text, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let characters = try positional(arguments, name, 0, most: 1).first ?? .none
        return try string(try strip(text, characters, start: name != "rstrip", end: name != "lstrip"))
    }

    /// The text without the leading and trailing characters that are in `characters`; None stands for white space.
    func strip(_ text: Text, _ characters: Value, start: Bool, end: Bool) throws(TemplateError) -> Text {
        if case .none = characters {
            return start && end ? text.stripped() : start ? text.strippedStart() : text.strippedEnd()
        }
        guard case .string(let characters) = characters else {
            throw TemplateError(.runtime, "strip arg must be None or str")
        }
        try step(characters.bytes.count / 8 + text.bytes.count / 8)
        let set = Set(characters.scalars)
        let scalars = Array(text.scalars)
        var (lower, upper) = (0, scalars.count)
        if start { while lower < upper, set.contains(scalars[lower]) { lower += 1 } }
        if end { while upper > lower, set.contains(scalars[upper - 1]) { upper -= 1 } }
        return text.slice(lower, upper)
    }

    // MARK: Splitting

    private func split(_ name: String, _ text: Text, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let bound = try arguments.bind(name, ["sep", "maxsplit"])
        let most = try (bound[1] ?? .int(-1)).integer("\(name)()")
        try charge(bytes: text.bytes.count)
        if bound[0].isNone {
            return try texts(
                name == "split"
                    ? text.words(most: most < 0 ? .max : most) : text.lastWords(most: most < 0 ? .max : most))
        }
        let separator = try (bound[0] ?? .none).text("\(name)()")
        guard !separator.isEmpty else { throw TemplateError(.runtime, "empty separator") }
        try step(separator.bytes.count / 8)
        let matches = name == "split" ? text.occurrences(of: separator) : text.occurrencesFromEnd(of: separator)
        try charge(elements: matches.count)
        return try texts(text.pieces(between: Array(most < 0 ? matches[...] : matches.prefix(most)), separator))
    }

    private func partition(_ name: String, _ text: Text, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let separator = try positional(arguments, name, 1)[0].text("\(name)()")
        guard !separator.isEmpty else { throw TemplateError(.runtime, "empty separator") }
        try step(separator.bytes.count / 8)
        let isFirst = name == "partition"
        let found = isFirst ? text.firstByte(of: separator) : text.lastByte(of: separator, before: text.bytes.count)
        try charge(bytes: text.bytes.count)
        guard let found else {
            let parts: [Text] = isFirst ? [text, .empty, .empty] : [.empty, .empty, text]
            return .tuple(parts.map { .string($0) })
        }
        return .tuple([
            .string(text.slice(bytes: 0..<found)), .string(separator),
            .string(text.slice(bytes: (found + separator.bytes.count)..<text.bytes.count)),
        ])
    }

    private func affix(_ name: String, _ text: Text, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let values = try positional(arguments, name, 1, most: 3)
        var candidates = [values[0]]
        if case .tuple(let elements) = values[0] { candidates = elements.values }
        let part = try window(text, values.dropFirst(), name)
        for candidate in candidates {
            guard case .string(let affix) = candidate else {
                throw TemplateError(
                    .runtime, "\(name) first arg must be str or a tuple of str, not \(candidate.typeName)")
            }
            try step(1 + affix.bytes.count / 32)
            guard let part else { continue }
            if name == "startswith" ? part.hasPrefix(affix) : part.hasSuffix(affix) { return .bool(true) }
        }
        return .bool(false)
    }

    /// The part of `text` between the optional positions in `bounds`; nil when they lie outside.
    private func window(_ text: Text, _ bounds: ArraySlice<Value>, _ name: String) throws(TemplateError) -> Text? {
        if bounds.isEmpty { return text }
        let count = text.count
        let (start, end) = try range(bounds, count: count, name)
        return start > end ? nil : text.slice(start, end)
    }

    private func range(_ bounds: ArraySlice<Value>, count: Int, _ name: String) throws(TemplateError) -> (Int, Int) {
        var limits = (0, count)
        let bounds = Array(bounds)
        if let start = bounds.first, !Optional(start).isNone { limits.0 = try start.integer("\(name)()") }
        if bounds.count > 1, !Optional(bounds[1]).isNone { limits.1 = try bounds[1].integer("\(name)()") }
        if limits.0 < 0 { limits.0 = Swift.max(0, limits.0 + count) }
        if limits.1 < 0 { limits.1 = Swift.max(0, limits.1 + count) }
        return (limits.0, Swift.min(limits.1, count))
    }

    // MARK: Replacing, joining, searching

    private func replace(_ text: Text, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let bound = try arguments.bind("replace", ["old", "new", "count"], required: 2)
        let most = try (bound[2] ?? .int(-1)).integer("replace()")
        return try string(
            try replaced(
                text, try (bound[0] ?? .none).text("replace() argument 1"),
                with: try (bound[1] ?? .none).text("replace() argument 2"), most: most))
    }

    func replaced(_ text: Text, _ old: Text, with new: Text, most: Int) throws(TemplateError) -> Text {
        try charge(bytes: text.bytes.count)
        try step((text.bytes.count + old.bytes.count) / 8)
        if old.isEmpty { return try interleaved(text, new, most: most) }
        let all = text.occurrences(of: old)
        let matches = most < 0 ? all : Array(all.prefix(most))
        if matches.isEmpty { return text }
        try charge(elements: matches.count)
        let growth = try small(
            matches.count.multipliedReportingOverflow(by: Swift.max(0, new.bytes.count - old.bytes.count)))
        try checkSize(try small(text.bytes.count.addingReportingOverflow(growth)))
        var bytes: [UInt8] = []
        var start = 0
        for match in matches {
            bytes.append(contentsOf: text.bytes[start..<match])
            bytes.append(contentsOf: new.bytes)
            start = match + old.bytes.count
        }
        bytes.append(contentsOf: text.bytes[start...])
        return Text(utf8: bytes)
    }

    /// Replacing the empty string puts `new` around every character.
    private func interleaved(_ text: Text, _ new: Text, most: Int) throws(TemplateError) -> Text {
        try checkSize(try small((text.bytes.count + 1).multipliedReportingOverflow(by: new.bytes.count + 1)))
        var left = most < 0 ? Int.max : most
        var bytes: [UInt8] = []
        for scalar in text.scalars {
            if left > 0 { bytes.append(contentsOf: new.bytes) }
            left -= left > 0 ? 1 : 0
            bytes.append(scalar)
        }
        if left > 0 { bytes.append(contentsOf: new.bytes) }
        try charge(bytes: bytes.count)
        return Text(utf8: bytes)
    }

    private func join(_ separator: Text, _ arguments: CallArguments) throws(TemplateError) -> Value {
        var bytes: [UInt8] = []
        for (position, element) in try elements(of: try positional(arguments, "join", 1)[0]).enumerated() {
            guard case .string(let text) = element else {
                throw TemplateError(
                    .runtime, "sequence item \(position): expected str instance, \(element.typeName) found")
            }
            if position > 0 { bytes.append(contentsOf: separator.bytes) }
            bytes.append(contentsOf: text.bytes)
            try checkSize(bytes.count)
        }
        return try string(Text(utf8: bytes))
    }

    private func search(_ name: String, _ text: Text, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let values = try positional(arguments, name, 1, most: 3)
        let needle = try values[0].text("\(name)()")
        try step(needle.bytes.count / 8)
        let (start, end) = try range(values.dropFirst(), count: text.count, name)
        let isInside = start <= end && start <= text.count
        let part = isInside ? text.slice(start, end) : .empty
        if name == "count" {
            guard isInside else { return .int(0) }
            return .int(needle.isEmpty ? part.count + 1 : part.occurrences(of: needle).count)
        }
        let isReverse = name.hasPrefix("r")
        let found = isReverse ? part.lastByte(of: needle, before: part.bytes.count) : part.firstByte(of: needle)
        if isInside, let found { return .int(start + part.position(ofByte: found)) }
        if name.hasSuffix("index") { throw TemplateError(.runtime, "substring not found") }
        return .int(-1)
    }

    // MARK: Padding

    private func pad(_ name: String, _ text: Text, _ arguments: CallArguments) throws(TemplateError) -> Value {
        if name == "expandtabs" {
            let size = try (try arguments.bind(name, ["tabsize"])[0] ?? .int(8)).integer("expandtabs()")
            return try string(try text.expandingTabs(size, self))
        }
        let values = try positional(arguments, name, 1, most: name == "zfill" ? 1 : 2)
        let width = try values[0].integer("\(name)()")
        if name == "zfill" { return try string(try zeroFilled(text, width)) }
        let fill = values.count > 1 ? try values[1].text("\(name)()") : " "
        guard fill.count == 1 else {
            throw TemplateError(.runtime, "The fill character must be exactly one character long")
        }
        return try string(try padded(text, width, fill, name == "ljust" ? .left : name == "rjust" ? .right : .center))
    }

    enum Alignment {
        case left
        case right
        case center
    }

    func padded(_ text: Text, _ width: Int, _ fill: Text, _ alignment: Alignment) throws(TemplateError) -> Text {
        let missing = width - text.count
        guard missing > 0 else { return text }
        try checkSize(try small(missing.multipliedReportingOverflow(by: fill.bytes.count)))
        let left =
            switch alignment {
            case .left: 0
            case .right: missing
            // CPython's rounding.
            case .center: missing / 2 + (missing & width & 1)
            }
        func repeated(_ count: Int) -> [UInt8] { Array(repeatElement(fill.bytes, count: count).joined()) }
        return Text(utf8: repeated(left) + text.bytes + repeated(missing - left))
    }

    private func zeroFilled(_ text: Text, _ width: Int) throws(TemplateError) -> Text {
        let missing = width - text.count
        guard missing > 0 else { return text }
        try checkSize(missing)
        let hasSign = text.bytes.first == UInt8(ascii: "+") || text.bytes.first == UInt8(ascii: "-")
        let sign = hasSign ? 1 : 0
        return Text(
            utf8: Array(text.bytes.prefix(sign)) + Array(repeating: UInt8(ascii: "0"), count: missing)
                + text.bytes.dropFirst(sign))
    }
}
