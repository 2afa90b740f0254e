extension Interpreter {
    func evaluate(_ expression: Expression) throws(TemplateError) -> Value {
        try step()
        switch expression.kind {
        case .literal(let literal): return literal.value
        case .name(let name, let id): return value(at: program.names[id]) ?? .undefined(Undefined(name: name))
        default: break
        }
        try enter()
        let result = try evaluateNode(expression)
        leave()
        return result
    }

    private func evaluateNode(_ expression: Expression) throws(TemplateError) -> Value {
        switch expression.kind {
        case .literal, .name, .namespaceAttribute: return .none
        case .tuple(let items): return try tuple(try evaluate(items))
        case .list(let items): return try list(try evaluate(items))
        case .dict(let items): return try evaluate(dictionary: items, line: expression.line)
        case .conditional(let test, let then, let otherwise):
            if try evaluate(test).isTrue { return try evaluate(then) }
            guard let otherwise else { return missingElse(expression.line) }
            return try evaluate(otherwise)
        case .or(let left, let right):
            let value = try evaluate(left)
            return value.isTrue ? value : try evaluate(right)
        case .and(let left, let right):
            let value = try evaluate(left)
            return value.isTrue ? try evaluate(right) : value
        case .not(let operand): return .bool(!(try evaluate(operand).isTrue))
        case .binary(let symbol, let left, let right):
            let left = try evaluate(left)
            let right = try evaluate(right)
            line = expression.line
            return try apply(symbol, left, right)
        case .negate(let operand), .positive(let operand):
            let value = try evaluate(operand)
            line = expression.line
            if case .negate = expression.kind { return try negated(value) }
            return try positive(value)
        case .concat(let parts): return try evaluate(concat: parts)
        case .compare(let first, let rest): return try evaluate(comparison: first, rest)
        case .attribute(let operand, let name):
            let value = try evaluate(operand)
            line = expression.line
            return try attribute(name, of: value)
        case .item(let operand, let index): return try evaluate(item: operand, index, line: expression.line)
        case .slice:
            throw TemplateError(.unsupported, "a slice is only allowed alone in brackets", line: expression.line)
        case .call(let callee, let arguments):
            let function = try evaluate(callee)
            let values = try evaluate(arguments)
            line = expression.line
            return try call(function, values)
        case .filter(let operand, let name, let arguments):
            guard let operand else { return .none }
            let value = try evaluate(operand)
            let values = try evaluate(arguments)
            line = expression.line
            return try apply(filter: name, to: value, values)
        case .test(let operand, let name, let arguments):
            let value = try evaluate(operand)
            let values = try evaluate(arguments)
            line = expression.line
            return .bool(try apply(test: name, to: value, values))
        }
    }

    private func missingElse(_ line: Int) -> Value {
        .undefined(
            "the inline if-expression on line \(line) evaluated to false and no else section was defined.")
    }

    /// Applies the filters of a block to the text of its body.
    func evaluate(_ filter: Expression, over text: Text) throws(TemplateError) -> Value {
        guard case .filter(let operand, let name, let arguments) = filter.kind else { return .string(text) }
        let value: Value =
            try operand.map { operand throws(TemplateError) in try evaluate(operand, over: text) }
            ?? .string(text)
        let values = try evaluate(arguments)
        line = filter.line
        return try apply(filter: name, to: value, values)
    }

    private func evaluate(_ expressions: [Expression]) throws(TemplateError) -> [Value] {
        var values: [Value] = []
        values.reserveCapacity(expressions.count)
        for expression in expressions { values.append(try evaluate(expression)) }
        return values
    }

    func evaluate(_ arguments: Arguments) throws(TemplateError) -> CallArguments {
        var result = CallArguments()
        if arguments === Arguments.none { return result }
        result.positional = try evaluate(arguments.positional)
        if let unpacked = arguments.unpackedPositional {
            result.positional += try elements(of: try evaluate(unpacked))
        }
        for keyword in arguments.keywords { result.keywords.append((keyword.name, try evaluate(keyword.value))) }
        if let unpacked = arguments.unpackedKeywords {
            try unpack(keywords: try evaluate(unpacked), into: &result)
        }
        return result
    }

    private func unpack(keywords value: Value, into arguments: inout CallArguments) throws(TemplateError) {
        guard case .dict(let mapping) = value else {
            if case .undefined(let undefined) = value { throw undefined.error }
            throw TemplateError(.runtime, "argument after ** must be a mapping, not \(value.typeName)")
        }
        try step(mapping.table.count)
        for (key, value) in zip(mapping.table.keys, mapping.table.values) {
            guard case .string(let key) = key else { throw TemplateError(.runtime, "keywords must be strings") }
            let name = key.string
            guard !arguments.keywords.contains(where: { $0.name == name }) else {
                throw TemplateError(.runtime, "got multiple values for keyword argument '\(name)'")
            }
            try step(arguments.keywords.count)
            arguments.keywords.append((name, value))
        }
    }

    private func evaluate(dictionary items: [(key: Expression, value: Expression)], line: Int) throws(TemplateError)
        -> Value
    {
        var table = MappingTable()
        for item in items {
            let key = try evaluate(item.key)
            let value = try evaluate(item.value)
            self.line = line
            table.set(value, for: try MappingKey(checking: key))
        }
        return try dict(table)
    }

    private func evaluate(concat parts: [Expression]) throws(TemplateError) -> Value {
        var bytes: [UInt8] = []
        for part in parts { bytes.append(contentsOf: try text(of: try evaluate(part)).bytes) }
        return try string(Text(utf8: bytes))
    }

    private func evaluate(comparison first: Expression, _ rest: [(Comparison, Expression)]) throws(TemplateError)
        -> Value
    {
        var left = try evaluate(first)
        for (comparison, expression) in rest {
            let right = try evaluate(expression)
            line = expression.line
            guard try compare(left, comparison, right) else { return .bool(false) }
            left = right
        }
        return .bool(true)
    }

    private func evaluate(item operand: Expression, _ index: Expression, line: Int) throws(TemplateError) -> Value {
        let value = try evaluate(operand)
        if case .slice(let start, let stop, let step) = index.kind {
            let bounds = (
                try bound(start), try bound(stop), try bound(step)
            )
            self.line = line
            return try slice(value, bounds.0, bounds.1, bounds.2)
        }
        let key = try evaluate(index)
        self.line = line
        return try item(key, of: value)
    }

    private func bound(_ expression: Expression?) throws(TemplateError) -> Value {
        guard let expression else { return .none }
        return try evaluate(expression)
    }
}
