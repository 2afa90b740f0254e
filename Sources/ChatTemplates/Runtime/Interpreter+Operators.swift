extension Interpreter {
    func compare(_ left: Value, _ comparison: Comparison, _ right: Value) throws(TemplateError) -> Bool {
        try chargeComparison(left, right)
        switch comparison {
        case .equal: return left.isEqual(to: right)
        case .notEqual: return !left.isEqual(to: right)
        case .contained: return try contains(left, in: right)
        case .notContained: return !(try contains(left, in: right))
        case .less: return try left.compare(to: right, operation: "<") == .less
        case .greater: return try left.compare(to: right, operation: ">") == .greater
        case .lessOrEqual:
            let order = try left.compare(to: right, operation: "<=")
            return order == .less || order == .equal
        case .greaterOrEqual:
            let order = try left.compare(to: right, operation: ">=")
            return order == .greater || order == .equal
        }
    }

    /// Comparing takes time in proportion to the values.
    func chargeComparison(_ left: Value, _ right: Value) throws(TemplateError) {
        switch (left, right) {
        case (.string(let left), .string(let right)): try step(min(left.bytes.count, right.bytes.count) / 32)
        case (.list, .list), (.tuple, .tuple), (.dict, .dict), (.view, .view): try step(weight(of: left))
        default: return
        }
    }

    /// The number of values in `value`, counted only as far as the steps that are left reach.
    func weight(of value: Value) throws(TemplateError) -> Int {
        try step()
        switch value {
        case .list(let elements), .tuple(let elements):
            for element in elements.values { _ = try weight(of: element) }
        case .dict(let mapping): for element in mapping.table.values { _ = try weight(of: element) }
        case .view(let view): for element in view.dictionary.table.values { _ = try weight(of: element) }
        case .string(let text): try step(text.bytes.count / 32)
        default: break
        }
        return 1
    }

    func contains(_ value: Value, in container: Value) throws(TemplateError) -> Bool {
        switch container {
        case .string(let text):
            guard case .string(let part) = value else {
                throw TemplateError(
                    .runtime, "'in <string>' requires string as left operand, not \(value.typeName)")
            }
            try step((text.bytes.count + part.bytes.count) / 8)
            return text.contains(part)
        case .dict(let mapping): return mapping.table.value(for: try MappingKey(checking: value)) != nil
        case .view(let view) where view.kind == .keys:
            return view.dictionary.table.value(for: try MappingKey(checking: value)) != nil
        case .range(let range):
            guard let number = value.number else { return false }
            guard let integer = value.index ?? Int(exactly: number) else { return false }
            let (distance, overflow) = integer.subtractingReportingOverflow(range.start)
            return !overflow && distance % range.step == 0 && (0..<range.count).contains(distance / range.step)
        default: break
        }
        guard isIterable(container) else {
            throw TemplateError(.runtime, "argument of type '\(container.typeName)' is not iterable")
        }
        var cursor = try self.cursor(over: container)
        while let element = try cursor.next(self) {
            try step()
            try chargeComparison(element, value)
            if element.isEqual(to: value) { return true }
        }
        return false
    }

    // MARK: Arithmetic

    func negated(_ value: Value) throws(TemplateError) -> Value {
        if case .double(let number) = value { return .double(-number) }
        guard let integer = value.index else { throw unaryError("-", value) }
        return .int(try small(integer.multipliedReportingOverflow(by: -1)))
    }

    func positive(_ value: Value) throws(TemplateError) -> Value {
        if case .double = value { return value }
        guard let integer = value.index else { throw unaryError("+", value) }
        return .int(integer)
    }

    private func unaryError(_ symbol: String, _ value: Value) -> TemplateError {
        if case .undefined(let undefined) = value { return undefined.error }
        return TemplateError(.runtime, "bad operand type for unary \(symbol): '\(value.typeName)'")
    }

    /// Python's integers have no bounds; these have 64 bits, and say so.
    func small(_ result: (partialValue: Int, overflow: Bool)) throws(TemplateError) -> Int {
        guard !result.overflow else {
            throw TemplateError(.limit, "the result does not fit a 64-bit integer, the largest that is supported")
        }
        return result.partialValue
    }

    func apply(_ symbol: BinaryOperator, _ left: Value, _ right: Value) throws(TemplateError) -> Value {
        if case .string(let format) = left, symbol == .modulo { return try percentFormat(format, right) }
        if case .undefined(let undefined) = left { throw undefined.error }
        if case .undefined(let undefined) = right { throw undefined.error }
        if let left = left.index, let right = right.index { return try integers(symbol, left, right) }
        if let left = left.number, let right = right.number { return try doubles(symbol, left, right) }
        switch (symbol, left, right) {
        case (.add, .string(let left), .string(let right)):
            try checkSize(left.bytes.count + right.bytes.count)
            return try string(left + right)
        case (.add, .list(let left), .list(let right)): return try list(left.values + right.values)
        case (.add, .tuple(let left), .tuple(let right)): return try tuple(left.values + right.values)
        case (.multiply, _, _):
            if let count = right.index, let result = try repeated(left, count) { return result }
            if let count = left.index, let result = try repeated(right, count) { return result }
        default: break
        }
        throw operandError(symbol, left, right)
    }

    private func operandError(_ symbol: BinaryOperator, _ left: Value, _ right: Value) -> TemplateError {
        switch (symbol, left) {
        case (.add, .string), (.add, .list), (.add, .tuple):
            let kind = left.typeName
            return TemplateError(.runtime, "can only concatenate \(kind) (not \"\(right.typeName)\") to \(kind)")
        default:
            return TemplateError(
                .runtime,
                "unsupported operand type(s) for \(symbol.rawValue): '\(left.typeName)' and '\(right.typeName)'")
        }
    }

    private func repeated(_ value: Value, _ count: Int) throws(TemplateError) -> Value? {
        let count = max(count, 0)
        switch value {
        case .string(let text):
            try checkSize(try small(text.bytes.count.multipliedReportingOverflow(by: count)))
            var bytes: [UInt8] = []
            bytes.reserveCapacity(text.bytes.count * count)
            for _ in 0..<(text.isEmpty ? 0 : count) { bytes.append(contentsOf: text.bytes) }
            return try string(Text(utf8: bytes))
        case .list(let elements): return try list(try repeated(elements.values, count))
        case .tuple(let elements): return try tuple(try repeated(elements.values, count))
        default: return nil
        }
    }

    private func repeated(_ values: [Value], _ count: Int) throws(TemplateError) -> [Value] {
        let total = try small(values.count.multipliedReportingOverflow(by: count))
        try checkSize(try small(total.multipliedReportingOverflow(by: 16)))
        return values.isEmpty ? [] : Array(repeatElement(values, count: count).joined())
    }

    private func integers(_ symbol: BinaryOperator, _ left: Int, _ right: Int) throws(TemplateError) -> Value {
        switch symbol {
        case .add: return .int(try small(left.addingReportingOverflow(right)))
        case .subtract: return .int(try small(left.subtractingReportingOverflow(right)))
        case .multiply: return .int(try small(left.multipliedReportingOverflow(by: right)))
        case .divide:
            guard right != 0 else { throw TemplateError(.runtime, "division by zero") }
            return .double(Double(left) / Double(right))
        case .floorDivide, .modulo:
            guard right != 0 else { throw TemplateError(.runtime, "integer division or modulo by zero") }
            let quotient = try small(left.dividedReportingOverflow(by: right))
            let remainder = left - quotient * right
            let rounds = remainder != 0 && (remainder < 0) != (right < 0)
            return .int(symbol == .modulo ? remainder + (rounds ? right : 0) : quotient - (rounds ? 1 : 0))
        case .power:
            if right < 0 { return try doubles(.power, Double(left), Double(right)) }
            return .int(try power(left, right))
        }
    }

    private func power(_ base: Int, _ exponent: Int) throws(TemplateError) -> Int {
        if base == 0 || base == 1 { return exponent == 0 ? 1 : base }
        if base == -1 { return exponent % 2 == 0 ? 1 : -1 }
        var result = 1
        for _ in 0..<exponent { result = try small(result.multipliedReportingOverflow(by: base)) }
        return result
    }

    private func doubles(_ symbol: BinaryOperator, _ left: Double, _ right: Double) throws(TemplateError) -> Value {
        switch symbol {
        case .add: return .double(left + right)
        case .subtract: return .double(left - right)
        case .multiply: return .double(left * right)
        case .divide, .floorDivide, .modulo:
            guard right != 0 else { throw TemplateError(.runtime, "float division by zero") }
            if symbol == .divide { return .double(left / right) }
            let (quotient, remainder) = PythonMath.floorDivide(left, right)
            return .double(symbol == .modulo ? remainder : quotient)
        case .power: return .double(try PythonMath.power(left, right))
        }
    }
}
