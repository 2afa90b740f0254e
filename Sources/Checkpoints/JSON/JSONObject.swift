/// The members of a JSON object in the order of the text; of duplicate keys the last one counts, as in Python.
///
/// Keys are compared byte by byte: `é` as one character and as two are different keys, though equal as Swift strings.
/// Look-up by key is O(1) for large objects and a short scan for small ones.
public struct JSONObject: Sendable {
    public typealias Element = (key: String, value: JSONValue)

    private var elements: [Element] = []
    private var index: [KeyBytes: Int]?

    /// Below this count a scan is faster than hashing.
    private static let scanLimit = 12

    public init() {}

    public init(_ elements: some Sequence<(String, JSONValue)>) {
        for (key, value) in elements { self[key] = value }
    }

    public var count: Int { elements.count }
    public var isEmpty: Bool { elements.isEmpty }
    public var keys: [String] { elements.map(\.key) }
    public var values: [JSONValue] { elements.map(\.value) }

    public subscript(key: String) -> JSONValue? {
        get { position(of: key).map { elements[$0].value } }
        set {
            if let newValue { set(newValue, for: key) } else { remove(key) }
        }
    }

    private func position(of key: String) -> Int? {
        if let index { return index[KeyBytes(key)] }
        return elements.firstIndex { $0.key.hasSameBytes(as: key) }
    }

    private mutating func set(_ value: JSONValue, for key: String) {
        guard index != nil || elements.count >= Self.scanLimit else {
            if let position = position(of: key) {
                elements[position].value = value
            } else {
                elements.append((key, value))
            }
            return
        }
        if index == nil { rebuildIndex() }
        let position = index?.updateOrKeep(elements.count, for: KeyBytes(key)) ?? elements.count
        if position < elements.count {
            elements[position].value = value
        } else {
            elements.append((key, value))
        }
    }

    private mutating func remove(_ key: String) {
        guard let position = position(of: key) else { return }
        elements.remove(at: position)
        if index != nil { rebuildIndex() }
    }

    private mutating func rebuildIndex() {
        index = Dictionary(elements.enumerated().map { (KeyBytes($1.key), $0) }, uniquingKeysWith: { $1 })
    }
}

/// A key as a sequence of bytes.
private struct KeyBytes: Hashable {
    let text: String

    init(_ text: String) { self.text = text }

    static func == (left: KeyBytes, right: KeyBytes) -> Bool { left.text.hasSameBytes(as: right.text) }

    func hash(into hasher: inout Hasher) {
        let done: Void? = text.utf8.withContiguousStorageIfAvailable {
            hasher.combine(bytes: UnsafeRawBufferPointer($0))
        }
        if done == nil { for byte in text.utf8 { hasher.combine(byte) } }
    }
}

extension Dictionary where Value == Int {
    /// The value that `key` has, or `value`, which it gets if it had none.
    fileprivate mutating func updateOrKeep(_ value: Int, for key: Key) -> Int {
        func keep(_ place: inout Int) -> Int { place }
        return keep(&self[key, default: value])
    }
}

extension String {
    /// Whether the UTF-8 of both strings is the same; `==` also holds for different spellings of a character.
    func hasSameBytes(as other: String) -> Bool {
        guard utf8.count == other.utf8.count else { return false }
        let same = utf8.withContiguousStorageIfAvailable { left in
            other.utf8.withContiguousStorageIfAvailable { right in left.elementsEqual(right) }
        }
        return (same ?? nil) ?? utf8.elementsEqual(other.utf8)
    }
}

extension JSONObject: Sequence {
    public func makeIterator() -> IndexingIterator<[Element]> { elements.makeIterator() }
}

extension JSONObject: Equatable {
    /// Equal when the same keys have equal values, in any order.
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.count == right.count && left.elements.allSatisfy { right[$0.key] == $0.value }
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, JSONValue)...) { self.init(elements) }
}
