/// The filters of `|`.
enum Filters {
    typealias Filter = @Sendable (Interpreter, Value, CallArguments) throws(TemplateError) -> Value

    private static let table: [String: Filter] = [
        "abs": absolute, "attr": attr, "batch": batch, "capitalize": capitalize, "center": center, "count": length,
        "d": fallback, "default": fallback, "dictsort": dictsort, "e": escape, "escape": escape,
        "filesizeformat": filesize, "first": first, "float": float, "forceescape": escape, "format": format,
        "groupby": groupby, "indent": indent, "int": integer, "join": join, "last": last, "length": length,
        "list": list, "lower": lower, "items": items, "map": map, "min": min, "max": max, "reject": reject,
        "rejectattr": rejectattr, "replace": replace, "reverse": reverse, "round": round, "safe": string,
        "select": select, "selectattr": selectattr, "slice": slice, "sort": sort, "string": string,
        "striptags": striptags, "sum": sum, "title": title, "trim": trim, "truncate": truncate, "unique": unique,
        "upper": upper, "urlencode": urlencode, "wordcount": wordcount, "wordwrap": wordwrap, "xmlattr": xmlattr,
        "tojson": tojson,
    ]

    /// Filters of Jinja that have no place in a prompt: random choice, HTML links, Python's pretty printer.
    private static let refused: Set<String> = ["random", "urlize", "pprint"]

    static func exists(_ name: String) -> Bool { table[name] != nil || refused.contains(name) }

    static func unknown(_ name: String, line: Int? = nil) -> TemplateError {
        TemplateError(.unsupported, "No filter named '\(name)'.", line: line)
    }

    static func apply(_ name: String, _ interpreter: Interpreter, _ value: Value, _ arguments: CallArguments)
        throws(TemplateError) -> Value
    {
        if let filter = table[name] { return try filter(interpreter, value, arguments) }
        if refused.contains(name) { throw TemplateError(.unsupported, "the filter '\(name)' is not supported") }
        throw unknown(name)
    }
}

extension Interpreter {
    func apply(filter name: String, to value: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        try enter()
        let result = try Filters.apply(name, self, value, arguments)
        leave()
        return result
    }

    // MARK: Attributes by path

    /// The steps of an attribute path such as `"a.b.0"`: names, and integers where all digits.
    func path(_ attribute: Value?) -> [Value] {
        switch attribute {
        case nil, .some(Value.none): []
        case .string(let text):
            text.bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map { part in
                if !part.isEmpty, part.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }),
                    let index = Int(String(decoding: part, as: UTF8.self))
                {
                    return .int(index)
                }
                return .string(Text(utf8: part))
            }
        case .some(let value): [value]
        }
    }

    func follow(_ path: [Value], from value: Value, fallback: Value? = nil) throws(TemplateError) -> Value {
        var value = value
        for key in path {
            try step()
            value = try item(key, of: value)
            if let fallback, value.isUndefined { value = fallback }
        }
        return value
    }

    /// Strings in lower case, for comparing without regard to case; anything else as it is.
    func ignoringCase(_ value: Value) throws(TemplateError) -> Value {
        guard case .string(let text) = value else { return value }
        try charge(bytes: text.bytes.count)
        return .string(text.lowercased)
    }

    // MARK: Sorting

    /// Python's stable `sorted`, by a key for each element. O(n log n) comparisons, each charged.
    func sort<Element>(_ elements: inout [Element], reverse: Bool, _ key: (Element) throws(TemplateError) -> Value)
        throws(TemplateError)
    {
        var keyed: [(key: Value, element: Element)] = []
        for element in elements { keyed.append((try key(element), element)) }
        if reverse { keyed.reverse() }
        try charge(elements: keyed.count * 3)
        var merged = keyed
        var width = 1
        while width < keyed.count {
            for start in stride(from: 0, to: keyed.count, by: 2 * width) {
                try merge(keyed, start, Swift.min(start + width, keyed.count), width, into: &merged)
            }
            swap(&keyed, &merged)
            width *= 2
        }
        if reverse { keyed.reverse() }
        elements = keyed.map(\.element)
    }

    private func merge<Element>(
        _ source: [(key: Value, element: Element)], _ start: Int, _ middle: Int, _ width: Int,
        into target: inout [(key: Value, element: Element)]
    ) throws(TemplateError) {
        let end = Swift.min(middle + width, source.count)
        var (left, right) = (start, middle)
        for position in start..<end {
            if left < middle, right >= end ? true : try !isLess(source[right].key, source[left].key) {
                target[position] = source[left]
                left += 1
            } else {
                target[position] = source[right]
                right += 1
            }
        }
    }

    private func isLess(_ left: Value, _ right: Value) throws(TemplateError) -> Bool {
        try step()
        return try compare(left, .less, right)
    }
}
