/// The tests of `is`.
enum Tests {
    static let names: Set<String> = [
        "odd", "even", "divisibleby", "defined", "undefined", "filter", "test", "none", "boolean", "false", "true",
        "integer", "float", "lower", "upper", "string", "mapping", "number", "sequence", "iterable", "callable",
        "sameas", "escaped", "in", "==", "eq", "equalto", "!=", "ne", ">", "gt", "greaterthan", "ge", ">=", "<", "lt",
        "lessthan", "<=", "le",
    ]

    static func exists(_ name: String) -> Bool { names.contains(name) }

    static func unknown(_ name: String, line: Int? = nil) -> TemplateError {
        TemplateError(.unsupported, "No test named '\(name)'.", line: line)
    }

    fileprivate static let comparisons: [String: Comparison] = [
        "==": .equal, "eq": .equal, "equalto": .equal, "!=": .notEqual, "ne": .notEqual, ">": .greater,
        "gt": .greater, "greaterthan": .greater, "ge": .greaterOrEqual, ">=": .greaterOrEqual, "<": .less,
        "lt": .less, "lessthan": .less, "<=": .lessOrEqual, "le": .lessOrEqual, "in": .contained,
    ]
}

extension Interpreter {
    func apply(test name: String, to value: Value, _ arguments: CallArguments) throws(TemplateError) -> Bool {
        if let comparison = Tests.comparisons[name] {
            let other = try arguments.bind(name, ["other"], required: 1)[0] ?? .none
            return try compare(value, comparison, other)
        }
        switch name {
        case "divisibleby":
            let divisor = try arguments.bind(name, ["num"], required: 1)[0] ?? .none
            return try apply(.modulo, value, divisor).isEqual(to: .int(0))
        case "sameas": return value.isIdentical(to: try arguments.bind(name, ["other"], required: 1)[0] ?? .none)
        default: break
        }
        guard Tests.exists(name) else { throw Tests.unknown(name) }
        _ = try arguments.bind(name, [])
        switch name {
        case "defined": return !value.isUndefined
        case "undefined": return value.isUndefined
        case "odd": return try apply(.modulo, value, .int(2)).isEqual(to: .int(1))
        case "even": return try apply(.modulo, value, .int(2)).isEqual(to: .int(0))
        case "lower": return try text(of: value).isLower
        case "upper": return try text(of: value).isUpper
        case "filter": return Filters.exists(try nameArgument(value))
        case "test": return Tests.exists(try nameArgument(value))
        case "sequence": return isSequence(value)
        case "iterable": return isIterable(value)
        default: return hasType(name, value)
        }
    }

    /// Looking up a name in Jinja's table fails for what cannot be a key.
    private func nameArgument(_ value: Value) throws(TemplateError) -> String {
        _ = try MappingKey(checking: value)
        if case .string(let text) = value { return text.string }
        return ""
    }

    private func isSequence(_ value: Value) -> Bool {
        switch value {
        case .string, .list, .tuple, .dict, .range, .undefined: true
        default: false
        }
    }

    private func hasType(_ name: String, _ value: Value) -> Bool {
        switch (name, value) {
        case ("none", .none), ("boolean", .bool), ("false", .bool(false)), ("true", .bool(true)), ("integer", .int),
            ("float", .double), ("string", .string), ("mapping", .dict), ("number", .int), ("number", .double),
            ("number", .bool), ("callable", .macro), ("callable", .method), ("callable", .function),
            ("callable", .joiner), ("callable", .loop), ("callable", .undefined):
            true
        default: false
        }
    }
}
