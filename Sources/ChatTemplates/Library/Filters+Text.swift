extension Filters {
    /// A filter without arguments from text to text; other values are turned into text first.
    private static func mapping(_ name: String, _ transform: @escaping @Sendable (Text) -> Text) -> Filter {
        { interpreter, value, arguments throws(TemplateError) in
            _ = try arguments.bind(name, [])
            let text = try interpreter.text(of: value)
            try interpreter.step(text.bytes.count / 8)
            return try interpreter.string(transform(text))
        }
    }

    static let upper = mapping("upper") { $0.uppercased }
    static let lower = mapping("lower") { $0.lowercased }
    static let capitalize = mapping("capitalize") { $0.capitalized }
    static let string = mapping("string") { $0 }
    static let escape = mapping("escape") { $0.escapedHTML }
    static let striptags = mapping("striptags") { $0.withoutTags }
    static let title = mapping("title") { $0.wordsCapitalized }

    static let trim: Filter = { interpreter, value, arguments throws(TemplateError) in
        let characters = try arguments.bind("trim", ["chars"])[0] ?? .none
        let text = try interpreter.text(of: value)
        return try interpreter.string(try interpreter.strip(text, characters, start: true, end: true))
    }

    static let replace: Filter = { interpreter, value, arguments throws(TemplateError) in
        let bound = try arguments.bind("replace", ["old", "new", "count"], required: 2)
        let most = bound[2].isNone ? -1 : try (bound[2] ?? .none).integer("replace()")
        return try interpreter.string(
            try interpreter.replaced(
                try interpreter.text(of: value), try interpreter.text(of: bound[0] ?? .none),
                with: try interpreter.text(of: bound[1] ?? .none), most: most))
    }

    static let center: Filter = { interpreter, value, arguments throws(TemplateError) in
        let width = try (try arguments.bind("center", ["width"])[0] ?? .int(80)).integer("center()")
        return try interpreter.string(try interpreter.padded(try interpreter.text(of: value), width, " ", .center))
    }

    static let format: Filter = { interpreter, value, arguments throws(TemplateError) in
        guard arguments.positional.isEmpty || arguments.keywords.isEmpty else {
            throw TemplateError(.runtime, "can't handle positional and keyword arguments at the same time")
        }
        let values: Value =
            arguments.keywords.isEmpty
            ? .tuple(arguments.positional)
            : .dict(Mapping(MappingTable(arguments.keywords.map { (Text($0.name), $0.value) })))
        return try interpreter.percentFormat(try interpreter.text(of: value), values)
    }

    static let indent: Filter = { interpreter, value, arguments throws(TemplateError) in
        let bound = try arguments.bind("indent", ["width", "first", "blank"])
        var indentation: Text
        if case .string(let text) = bound[0] ?? .int(4) {
            indentation = text
        } else {
            let width = Swift.max(0, try (bound[0] ?? .int(4)).integer("indent()"))
            try interpreter.checkSize(width)
            indentation = Text(ascii: Array(repeating: 0x20, count: width))
        }
        guard case .string(let text) = try interpreter.apply(.add, value, .string("\n")) else { return value }
        let indentsBlank = bound[2]?.isTrue ?? false
        let lines = text.lines(keepEnds: false)
        try interpreter.charge(elements: lines.count)
        try interpreter.checkSize(
            try interpreter.small((lines.count + 1).multipliedReportingOverflow(by: indentation.bytes.count + 1)))
        var bytes: [UInt8] = bound[1]?.isTrue ?? false ? indentation.bytes : []
        for (position, line) in lines.enumerated() {
            if position > 0 {
                bytes.append(0x0A)
                if indentsBlank || !line.isEmpty { bytes.append(contentsOf: indentation.bytes) }
            }
            bytes.append(contentsOf: line.bytes)
        }
        return try interpreter.string(Text(utf8: bytes))
    }

    static let truncate: Filter = { interpreter, value, arguments throws(TemplateError) in
        let bound = try arguments.bind("truncate", ["length", "killwords", "end", "leeway"])
        let length = try (bound[0] ?? .int(255)).integer("truncate()")
        let end = try (bound[2] ?? .string("...")).text("truncate() argument 'end'")
        let leeway = bound[3].isNone ? 5 : try (bound[3] ?? .none).integer("truncate()")
        let endLength = end.count
        guard length >= endLength else {
            throw TemplateError(.runtime, "expected length >= \(endLength), got \(length)")
        }
        guard leeway >= 0 else { throw TemplateError(.runtime, "expected leeway >= 0, got \(leeway)") }
        if try interpreter.length(of: value) <= length.addingReportingOverflow(leeway).partialValue { return value }
        guard case .string(let text) = value else {
            throw TemplateError(.runtime, "truncate() needs a string, not '\(value.typeName)'")
        }
        let kept = text.slice(0, length - endLength)
        if bound[1]?.isTrue ?? false { return try interpreter.string(kept + end) }
        let cut = kept.lastByte(of: " ", before: kept.bytes.count) ?? kept.bytes.count
        return try interpreter.string(kept.slice(bytes: 0..<cut) + end)
    }

    static let wordcount: Filter = { interpreter, value, arguments throws(TemplateError) in
        _ = try arguments.bind("wordcount", [])
        var count = 0
        var isInside = false
        let text = try interpreter.text(of: value)
        try interpreter.step(text.bytes.count / 4)
        for scalar in text.scalars {
            let isWord = scalar == "_" || scalar.isPythonAlpha || scalar.properties.numericType != nil
            if isWord, !isInside { count += 1 }
            isInside = isWord
        }
        return .int(count)
    }

    static let urlencode: Filter = { interpreter, value, arguments throws(TemplateError) in
        _ = try arguments.bind("urlencode", [])
        if case .string(let text) = value { return try interpreter.string(text.percentEncoded(isQuery: false)) }
        guard interpreter.isIterable(value) else {
            return try interpreter.string(try interpreter.text(of: value).percentEncoded(isQuery: false))
        }
        var pairs = value
        if case .dict(let mapping) = value { pairs = .view(DictionaryView(.items, of: mapping)) }
        var bytes: [UInt8] = []
        for pair in try interpreter.elements(of: pairs) {
            let pair = try interpreter.elements(of: pair)
            guard pair.count == 2 else { throw TemplateError(.runtime, "urlencode needs pairs of key and value") }
            if !bytes.isEmpty { bytes.append(UInt8(ascii: "&")) }
            bytes.append(contentsOf: try interpreter.text(of: pair[0]).percentEncoded(isQuery: true).bytes)
            bytes.append(UInt8(ascii: "="))
            bytes.append(contentsOf: try interpreter.text(of: pair[1]).percentEncoded(isQuery: true).bytes)
            try interpreter.checkSize(bytes.count)
        }
        return try interpreter.string(Text(utf8: bytes))
    }

    static let xmlattr: Filter = { interpreter, value, arguments throws(TemplateError) in
        let hasSpace = try arguments.bind("xmlattr", ["autospace"])[0]?.isTrue ?? true
        guard case .dict(let mapping) = value else {
            throw TemplateError(.runtime, "'\(value.typeName)' object has no attribute 'items'")
        }
        var bytes: [UInt8] = []
        for (key, value) in zip(mapping.table.keys, mapping.table.values) {
            if value.isUndefined || Optional(value).isNone { continue }
            let name = try key.text("xmlattr()")
            guard !name.bytes.contains(where: { (0x09...0x0D).contains($0) || [0x20, 0x2F, 0x3D, 0x3E].contains($0) })
            else {
                throw TemplateError(.runtime, "Invalid character in attribute name: '\(name.string)'")
            }
            if hasSpace || !bytes.isEmpty { bytes.append(0x20) }
            let shown = try interpreter.text(of: value).escapedHTML
            bytes.append(contentsOf: name.escapedHTML.bytes + "=\"".utf8 + shown.bytes + "\"".utf8)
            try interpreter.checkSize(bytes.count)
        }
        return try interpreter.string(Text(utf8: bytes))
    }
}

extension Text {
    /// MarkupSafe's `escape`.
    var escapedHTML: Text {
        var result: [UInt8] = []
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "&"): result.append(contentsOf: "&amp;".utf8)
            case UInt8(ascii: "<"): result.append(contentsOf: "&lt;".utf8)
            case UInt8(ascii: ">"): result.append(contentsOf: "&gt;".utf8)
            case UInt8(ascii: "'"): result.append(contentsOf: "&#39;".utf8)
            case UInt8(ascii: "\""): result.append(contentsOf: "&#34;".utf8)
            default: result.append(byte)
            }
        }
        return Text(utf8: result)
    }

    /// MarkupSafe's `striptags`, but for character references, which stay as they are.
    var withoutTags: Text {
        var rest = self
        for (open, close) in [(Text("<!--"), Text("-->")), (Text("<"), Text(">"))] {
            var result: [UInt8] = []
            var start = 0
            while let from = rest.firstByte(of: open, from: start),
                let to = rest.firstByte(of: close, from: from + open.bytes.count)
            {
                result.append(contentsOf: rest.bytes[start..<from])
                start = to + close.bytes.count
            }
            result.append(contentsOf: rest.bytes[start...])
            rest = Text(utf8: result)
        }
        return Text(utf8: Array(rest.words(most: .max).map(\.bytes).joined(separator: [0x20])))
    }

    /// Jinja's `title`: words begin after blanks, hyphens and opening brackets.
    var wordsCapitalized: Text {
        var result: [Unicode.Scalar] = []
        var isStart = true
        var word: [Unicode.Scalar] = []
        func flush() {
            guard let first = word.first else { return }
            result.append(contentsOf: first.properties.uppercaseMapping.unicodeScalars)
            result.append(contentsOf: Text(scalars: word.dropFirst()).lowercased.scalars)
            word = []
        }
        for scalar in scalars {
            if Whitespace.contains(scalar) || "-({[<".unicodeScalars.contains(scalar) {
                if !isStart { flush() }
                result.append(scalar)
                isStart = true
            } else {
                word.append(scalar)
                isStart = false
            }
        }
        flush()
        return Text(scalars: result)
    }

    /// `urllib.parse.quote`.
    func percentEncoded(isQuery: Bool) -> Text {
        var result: [UInt8] = []
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in bytes {
            let isPlain =
                byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 || "_.-~".utf8.contains(byte)
                || byte == UInt8(ascii: "/") && !isQuery
            if isPlain {
                result.append(byte)
            } else if isQuery, byte == 0x20 {
                result.append(UInt8(ascii: "+"))
            } else {
                result.append(contentsOf: [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]])
            }
        }
        return Text(ascii: result)
    }
}
