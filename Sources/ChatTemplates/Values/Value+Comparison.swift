extension Value {
    /// Python's `==`. Values of different kinds differ; numbers and booleans compare by value.
    ///
    /// Complexity: linear in the size of the values; nesting is bounded by `TemplateLimits.valueDepth`.
    func isEqual(to other: Value) -> Bool {
        switch (self, other) {
        case (.undefined, .undefined), (.none, .none): return true
        case (.string(let left), .string(let right)): return left == right
        case (.double(let left), .double(let right)): return left == right
        case (.double(let left), _): return other.index.map { Value.isEqual($0, left) } ?? false
        case (_, .double(let right)): return index.map { Value.isEqual($0, right) } ?? false
        case (.list(let left), .list(let right)), (.tuple(let left), .tuple(let right)):
            return left === right || Value.areEqual(left.values, right.values)
        case (.dict(let left), .dict(let right)): return left === right || Value.areEqual(left.table, right.table)
        case (.range(let left), .range(let right)):
            return left.count == right.count
                && (left.count == 0 || left.start == right.start && (left.count == 1 || left.step == right.step))
        case (.view(let left), .view(let right)): return Value.areEqual(left, right)
        case (.function(let left), .function(let right)): return left == right
        default:
            if let left = index, let right = other.index { return left == right }
            return isIdentical(to: other)
        }
    }

    /// Python's `is`, for values whose identity Python guarantees, and for shared objects.
    func isIdentical(to other: Value) -> Bool {
        switch (self, other) {
        case (.none, .none): true
        case (.bool(let left), .bool(let right)): left == right
        case (.int(let left), .int(let right)): left == right
        case (.string(let left), .string(let right)): left == right
        case (.undefined(let left), .undefined(let right)): left === right
        case (.list(let left), .list(let right)): left === right
        case (.tuple(let left), .tuple(let right)): left === right || left.values.isEmpty && right.values.isEmpty
        case (.dict(let left), .dict(let right)): left === right
        case (.range(let left), .range(let right)): left === right
        case (.view(let left), .view(let right)): left === right
        case (.iterator(let left), .iterator(let right)): left === right
        case (.namespace(let left), .namespace(let right)): left === right
        case (.loop(let left), .loop(let right)): left === right
        case (.macro(let left), .macro(let right)): left === right
        case (.method(let left), .method(let right)):
            left.name == right.name && left.receiver.isIdentical(to: right.receiver)
        case (.function(let left), .function(let right)): left == right
        case (.cycler(let left), .cycler(let right)): left === right
        case (.joiner(let left), .joiner(let right)): left === right
        default: false
        }
    }

    /// Exact, where a conversion of either side would round.
    private static func isEqual(_ integer: Int, _ double: Double) -> Bool { Int(exactly: double) == integer }

    private static func areEqual(_ left: [Value], _ right: [Value]) -> Bool {
        left.count == right.count && left.indices.allSatisfy { left[$0].isEqual(to: right[$0]) }
    }

    private static func areEqual(_ left: MappingTable, _ right: MappingTable) -> Bool {
        guard left.count == right.count else { return false }
        return left.keys.indices.allSatisfy { position in
            guard let key = try? MappingKey(checking: left.keys[position]), let value = right.value(for: key) else {
                return false
            }
            return value.isEqual(to: left.values[position])
        }
    }

    private static func areEqual(_ left: DictionaryView, _ right: DictionaryView) -> Bool {
        guard left.kind == right.kind, left.kind != .values else { return left === right }
        if left.kind == .items { return areEqual(left.dictionary.table, right.dictionary.table) }
        guard left.dictionary.table.count == right.dictionary.table.count else { return false }
        return left.dictionary.table.keys.allSatisfy { key in
            (try? MappingKey(checking: key)).map { right.dictionary.table.value(for: $0) != nil } ?? false
        }
    }

    /// Python's ordering: nil when neither is less, greater nor equal (NaN). Errors: `runtime` for values without order.
    func compare(to other: Value, operation: String) throws(TemplateError) -> Ordering? {
        switch (self, other) {
        case (.undefined(let value), _), (_, .undefined(let value)): throw value.error
        case (.string(let left), .string(let right)): return left == right ? .equal : left < right ? .less : .greater
        case (.list(let left), .list(let right)), (.tuple(let left), .tuple(let right)):
            return try Value.compare(left.values, right.values, operation: operation)
        default: break
        }
        if let left = index, let right = other.index { return left == right ? .equal : left < right ? .less : .greater }
        if let left = number, let right = other.number {
            // A double that is no integer of 64 bits compares rightly with the rounded integer.
            if let left = index, let right = Int(exactly: right) {
                return left < right ? .less : left == right ? .equal : .greater
            }
            if let right = other.index, let left = Int(exactly: left) {
                return left < right ? .less : left == right ? .equal : .greater
            }
            return left == right ? .equal : left < right ? .less : left > right ? .greater : nil
        }
        throw TemplateError(
            .runtime, "'\(operation)' not supported between instances of '\(typeName)' and '\(other.typeName)'")
    }

    enum Ordering {
        case less
        case equal
        case greater
    }

    private static func compare(_ left: [Value], _ right: [Value], operation: String) throws(TemplateError) -> Ordering?
    {
        for (one, other) in zip(left, right) where !one.isEqual(to: other) {
            return try one.compare(to: other, operation: operation)
        }
        return left.count == right.count ? .equal : left.count < right.count ? .less : .greater
    }

    /// The value as a floating-point number where Python's arithmetic would make one of it.
    var number: Double? {
        switch self {
        case .int(let value): Double(value)
        case .bool(let value): value ? 1 : 0
        case .double(let value): value
        default: nil
        }
    }
}
