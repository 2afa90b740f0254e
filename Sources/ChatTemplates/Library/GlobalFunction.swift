/// The functions that every chat template can call.
enum GlobalFunction: String {
    case range
    case dict
    case namespace
    case cycler
    case joiner
    case lipsum
    case raiseException = "raise_exception"
    case strftimeNow = "strftime_now"
}

extension Interpreter {
    func call(_ function: GlobalFunction, _ arguments: CallArguments) throws(TemplateError) -> Value {
        switch function {
        case .range: return try range(arguments)
        case .dict: return try dict(try table(arguments, "dict"))
        case .namespace: return try namespace(arguments)
        case .cycler:
            guard arguments.keywords.isEmpty, !arguments.positional.isEmpty else {
                throw TemplateError(.runtime, "at least one item has to be provided")
            }
            return try checked(.cycler(Cycler(arguments.positional)))
        case .joiner:
            return try checked(.joiner(Joiner(try arguments.bind("joiner", ["sep"])[0] ?? .string(", "))))
        case .lipsum: throw TemplateError(.unsupported, "the function 'lipsum' is not supported")
        case .raiseException:
            let message = try arguments.bind("raise_exception", ["message"], required: 1)[0] ?? .none
            throw TemplateError(.raised, try text(of: message).string)
        case .strftimeNow:
            let format = try (try arguments.bind("strftime_now", ["format"], required: 1)[0] ?? .none)
                .text("strftime_now() argument 1")
            return try string(try (now ?? .current).formatted(format))
        }
    }

    private func range(_ arguments: CallArguments) throws(TemplateError) -> Value {
        guard arguments.keywords.isEmpty else {
            throw TemplateError(.runtime, "range() takes no keyword arguments")
        }
        var bounds: [Int] = []
        for value in arguments.positional { bounds.append(try value.integer("range()")) }
        guard (1...3).contains(bounds.count) else {
            throw TemplateError(.runtime, "range expected 1 to 3 arguments, got \(bounds.count)")
        }
        let step = bounds.count == 3 ? bounds[2] : 1
        guard step != 0 else { throw TemplateError(.runtime, "range() arg 3 must not be zero") }
        let range = RangeValue(
            start: bounds.count == 1 ? 0 : bounds[0], stop: bounds.count == 1 ? bounds[0] : bounds[1], step: step)
        guard let range, range.count <= RangeValue.largest else {
            throw TemplateError(
                .limit, "Range too big. The sandbox blocks ranges larger than MAX_RANGE (\(RangeValue.largest)).")
        }
        return .range(range)
    }

    /// What `dict(…)` makes of its arguments: a mapping or pairs, then keywords.
    private func table(_ arguments: CallArguments, _ function: String) throws(TemplateError) -> MappingTable {
        guard arguments.positional.count <= 1 else {
            throw TemplateError(
                .runtime, "\(function) expected at most 1 argument, got \(arguments.positional.count)")
        }
        var table = MappingTable()
        if let source = arguments.positional.first {
            if case .dict(let mapping) = source {
                table = mapping.table
            } else {
                for pair in try elements(of: source) {
                    let pair = try elements(of: pair)
                    guard pair.count == 2 else {
                        throw TemplateError(
                            .runtime, "dictionary update sequence element has length \(pair.count); 2 is required")
                    }
                    table.set(pair[1], for: try MappingKey(checking: pair[0]))
                }
            }
        }
        for keyword in arguments.keywords { table.set(keyword.value, for: Text(keyword.name)) }
        return table
    }

    private func namespace(_ arguments: CallArguments) throws(TemplateError) -> Value {
        let namespace = Namespace(MappingTable())
        register(namespace)
        let attributes = try table(arguments, "namespace")
        try charge(elements: attributes.count * 4 + 8)
        for (key, value) in zip(attributes.keys, attributes.values) {
            if case .string(let name) = key {
                try set(value, name, of: namespace)
            } else {
                namespace.attributes.set(value, for: try MappingKey(checking: key))
            }
        }
        return .namespace(namespace)
    }
}
