extension Filters {
    static let map: Filter = { interpreter, value, arguments throws(TemplateError) in
        guard value.isTrue else { return .iterator(ValueIterator("sync_do_map", [])) }
        var cursor = try interpreter.cursor(over: value)
        var transform: ((Interpreter, Value) throws(TemplateError) -> Value)?
        return try interpreter.checked(
            .iterator(
                ValueIterator("sync_do_map", depth: value.depth) { interpreter throws(TemplateError) in
                    if transform == nil { transform = try Filters.transform(arguments, interpreter) }
                    guard let transform, let element = try cursor.next(interpreter) else { return nil }
                    try interpreter.step()
                    return try transform(interpreter, element)
                }))
    }

    /// What `map` does to each element: looks up an attribute, or applies a filter.
    private static func transform(_ arguments: CallArguments, _ interpreter: Interpreter) throws(TemplateError) -> (
        Interpreter, Value
    ) throws(TemplateError) -> Value {
        if arguments.positional.isEmpty, arguments.keywords.contains(where: { $0.name == "attribute" }) {
            let bound = try arguments.bind("map", ["attribute", "default"])
            let path = interpreter.path(bound[0])
            let fallback = bound[1].isNone ? nil : bound[1]
            return { interpreter, element throws(TemplateError) in
                try interpreter.follow(path, from: element, fallback: fallback)
            }
        }
        guard let first = arguments.positional.first else {
            throw TemplateError(.runtime, "map requires a filter argument")
        }
        let name = try first.text("map()").string
        let rest = CallArguments(positional: Array(arguments.positional.dropFirst()), keywords: arguments.keywords)
        return { interpreter, element throws(TemplateError) in
            try interpreter.apply(filter: name, to: element, rest)
        }
    }

    static let select: Filter = { interpreter, value, arguments throws(TemplateError) in
        try selection("select", interpreter, value, arguments, keeps: true, byAttribute: false)
    }

    static let reject: Filter = { interpreter, value, arguments throws(TemplateError) in
        try selection("reject", interpreter, value, arguments, keeps: false, byAttribute: false)
    }

    static let selectattr: Filter = { interpreter, value, arguments throws(TemplateError) in
        try selection("selectattr", interpreter, value, arguments, keeps: true, byAttribute: true)
    }

    static let rejectattr: Filter = { interpreter, value, arguments throws(TemplateError) in
        try selection("rejectattr", interpreter, value, arguments, keeps: false, byAttribute: true)
    }

    private static func selection(
        _ name: String, _ interpreter: Interpreter, _ value: Value, _ arguments: CallArguments, keeps: Bool,
        byAttribute: Bool
    ) throws(TemplateError) -> Value {
        guard value.isTrue else { return .iterator(ValueIterator("select_or_reject", [])) }
        var cursor = try interpreter.cursor(over: value)
        let offset = byAttribute ? 1 : 0
        let test = arguments.positional.dropFirst(offset).first
        let rest = CallArguments(
            positional: Array(arguments.positional.dropFirst(offset + 1)), keywords: arguments.keywords)
        return try interpreter.checked(
            .iterator(
                ValueIterator("select_or_reject", depth: value.depth) { interpreter throws(TemplateError) in
                    if byAttribute, arguments.positional.isEmpty {
                        throw TemplateError(.runtime, "Missing parameter for attribute name")
                    }
                    let path = byAttribute ? interpreter.path(arguments.positional[0]) : []
                    while let element = try cursor.next(interpreter) {
                        try interpreter.step()
                        let subject = try interpreter.follow(path, from: element)
                        let passes: Bool
                        if let test {
                            passes = try interpreter.apply(test: try test.text(name).string, to: subject, rest)
                        } else {
                            passes = subject.isTrue
                        }
                        if passes == keeps { return element }
                    }
                    return nil
                }))
    }

    static let attr: Filter = { interpreter, value, arguments throws(TemplateError) in
        let name = try (try arguments.bind("attr", ["name"], required: 1)[0] ?? .none).text("attr()")
        if case .undefined(let undefined) = value { throw undefined.error }
        let found = try interpreter.attribute(name, of: value)
        // Unlike `value.name`, this does not fall back to the item of that name.
        if case .dict = value, case .none = Methods.access(name.string, on: value), name.bytes.first != 0x5F {
            return .undefined("'dict object' has no attribute '\(name.string)'")
        }
        return found
    }

    static let fallback: Filter = { interpreter, value, arguments throws(TemplateError) in
        let bound = try arguments.bind("default", ["default_value", "boolean"])
        let replaces = value.isUndefined || bound[1]?.isTrue ?? false && !value.isTrue
        return replaces ? bound[0] ?? .string(.empty) : value
    }

    static let tojson: Filter = { interpreter, value, arguments throws(TemplateError) in
        let bound = try arguments.bind("tojson", ["ensure_ascii", "indent", "separators", "sort_keys"])
        var json = JSONText()
        json.ensuresASCII = bound[0]?.isTrue ?? false
        json.sortsKeys = bound[3]?.isTrue ?? false
        if let indent = bound[1], !bound[1].isNone {
            if case .string(let text) = indent {
                json.indent = text
            } else {
                let width = Swift.max(0, try indent.integer("tojson() argument 'indent'"))
                try interpreter.checkSize(width)
                json.indent = Text(ascii: Array(repeating: 0x20, count: width))
            }
            json.itemSeparator = ","
        }
        if let separators = bound[2], !bound[2].isNone {
            let parts = try interpreter.elements(of: separators)
            guard parts.count == 2 else {
                throw TemplateError(.runtime, "tojson() argument 'separators' needs 2 strings, got \(parts.count)")
            }
            json.itemSeparator = try parts[0].text("tojson() argument 'separators'")
            json.keySeparator = try parts[1].text("tojson() argument 'separators'")
        }
        return .string(try json.encode(value, interpreter))
    }
}
