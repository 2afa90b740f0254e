/// A Python `dict`: keeps the order of insertion; of equal keys the first stays and the last value counts.
final class Mapping {
    let table: MappingTable
    let depth: Int

    init(_ table: MappingTable) {
        self.table = table
        let keyDepth = table.keys.reduce(0) { Swift.max($0, $1.depth) }
        depth = table.values.reduce(keyDepth) { Swift.max($0, $1.depth) } + 1
    }
}

/// The storage of a ``Mapping``. Look-up is O(1), by a scan while the table is small.
struct MappingTable {
    private(set) var keys: [Value] = []
    private(set) var values: [Value] = []
    private var index: [MappingKey: Int]?

    private static let scanLimit = 8

    var count: Int { keys.count }

    init() {}

    init(_ elements: [(Text, Value)]) {
        for (key, value) in elements { set(value, for: MappingKey(key)) }
    }

    func value(for key: MappingKey) -> Value? { position(of: key).map { values[$0] } }

    func value(for key: Text) -> Value? {
        if index != nil { return value(for: MappingKey(key)) }
        for position in keys.indices {
            if case .string(let candidate) = keys[position], candidate == key { return values[position] }
        }
        return nil
    }

    private func position(of key: MappingKey) -> Int? {
        if let index { return index[key] }
        return keys.firstIndex { MappingKey($0) == key }
    }

    mutating func set(_ value: Value, for key: MappingKey) {
        if let position = position(of: key) {
            values[position] = value
            return
        }
        keys.append(key.value)
        values.append(value)
        if index != nil {
            index?[key] = keys.count - 1
        } else if keys.count > Self.scanLimit {
            var index: [MappingKey: Int] = [:]
            for position in keys.indices { index[MappingKey(keys[position])] = position }
            self.index = index
        }
    }

    mutating func set(_ value: Value, for key: Text) { set(value, for: MappingKey(key)) }
}

/// A value that can be a key: compares and hashes as Python does, where `1`, `1.0` and `True` are the same key.
struct MappingKey: Hashable {
    let value: Value

    init(_ text: Text) { value = .string(text) }

    /// For values that are keys already.
    fileprivate init(_ key: Value) { value = key }

    /// Errors: `runtime` for values that Python calls unhashable.
    init(checking value: Value) throws(TemplateError) {
        try MappingKey.check(value)
        self.value = value
    }

    private static func check(_ value: Value) throws(TemplateError) {
        switch value {
        case .list, .dict, .view(_): throw TemplateError(.runtime, "unhashable type: '\(value.typeName)'")
        case .tuple(let elements): for element in elements.values { try check(element) }
        default: return
        }
    }

    static func == (left: MappingKey, right: MappingKey) -> Bool { left.value.isEqual(to: right.value) }

    func hash(into hasher: inout Hasher) { MappingKey.hash(value, into: &hasher) }

    private static func hash(_ value: Value, into hasher: inout Hasher) {
        switch value {
        case .string(let text): hasher.combine(text)
        case .bool(let value): hasher.combine(Double(value ? 1 : 0))
        case .int(let value): hasher.combine(Double(value))
        case .double(let value): hasher.combine(value)
        case .tuple(let elements): for element in elements.values { hash(element, into: &hasher) }
        default: hasher.combine(value.typeName)
        }
    }
}
