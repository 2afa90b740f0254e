/// The members of a JSON object in the order of the text; of duplicate keys the last one counts, as in Python.
///
/// Look-up by key is O(1) for large objects and a short scan for small ones.
public struct JSONObject: Sendable {
    public typealias Element = (key: String, value: JSONValue)

    private var elements: [Element] = []
    private var index: [String: Int]?

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
        if let index { return index[key] }
        return elements.firstIndex { $0.key == key }
    }

    private mutating func set(_ value: JSONValue, for key: String) {
        if let position = position(of: key) {
            elements[position].value = value
            return
        }
        elements.append((key, value))
        if index != nil {
            index?[key] = elements.count - 1
        } else if elements.count > Self.scanLimit {
            index = Dictionary(elements.enumerated().map { ($1.key, $0) }, uniquingKeysWith: { $1 })
        }
    }

    private mutating func remove(_ key: String) {
        guard let position = position(of: key) else { return }
        elements.remove(at: position)
        if index != nil {
            index = Dictionary(elements.enumerated().map { ($1.key, $0) }, uniquingKeysWith: { $1 })
        }
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
