/// A pull parser over the bytes of one JSON text (RFC 8259, strict): the caller asks for what it expects next.
///
/// Large files (a tokenizer's vocabulary) are read without building a tree. The bytes must stay valid while the reader
/// is used. Nesting is limited, so hostile text cannot exhaust the stack. Lone surrogate escapes become U+FFFD.
public struct JSONReader {
    let bytes: UnsafeBufferPointer<UInt8>
    /// Offset of the next unread byte.
    public internal(set) var offset = 0
    private var depth = 0
    /// Deepest nesting of arrays and objects that is accepted.
    public var maximumDepth = 512
    /// Whether `NaN`, `Infinity` and `-Infinity`, which Python's `json` writes, count as numbers.
    public var acceptsNonFiniteNumbers = false

    public init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { offset = 3 }
    }

    /// Runs `body` with a reader over the UTF-8 bytes of `text`.
    public static func read<R>(_ text: String, _ body: (inout JSONReader) throws -> R) throws -> R {
        var text = text
        return try text.withUTF8 { bytes in
            var reader = JSONReader(bytes)
            return try body(&reader)
        }
    }

    // MARK: Structure

    /// The kind of the next value, without reading it: one of `{ [ " t f n` or `0` for any number.
    public mutating func peek() throws(JSONError) -> UInt8 {
        skipWhitespace()
        guard offset < bytes.count else { throw failure("unexpected end of text") }
        switch bytes[offset] {
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return UInt8(ascii: "0")
        default: return bytes[offset]
        }
    }

    public mutating func beginObject() throws(JSONError) { try open(UInt8(ascii: "{"), "an object") }
    public mutating func beginArray() throws(JSONError) { try open(UInt8(ascii: "["), "an array") }

    /// Moves to the next member of an object and returns its key, or nil at the object's end.
    public mutating func nextKey(isFirst: inout Bool) throws(JSONError) -> String? {
        guard try advance(to: UInt8(ascii: "}"), isFirst: &isFirst) else { return nil }
        guard try peek() == UInt8(ascii: "\"") else { throw failure("expected a key in double quotes") }
        let key = try string()
        skipWhitespace()
        guard offset < bytes.count, bytes[offset] == UInt8(ascii: ":") else {
            throw failure("expected ':' after a key")
        }
        offset += 1
        return key
    }

    /// Moves to the next element of an array; false at the array's end.
    public mutating func nextElement(isFirst: inout Bool) throws(JSONError) -> Bool {
        try advance(to: UInt8(ascii: "]"), isFirst: &isFirst)
    }

    /// Checks that nothing but white space follows.
    public mutating func finish() throws(JSONError) {
        skipWhitespace()
        guard offset == bytes.count else { throw failure("unexpected text after the value") }
    }

    private mutating func open(_ bracket: UInt8, _ name: String) throws(JSONError) {
        guard try peek() == bracket else { throw failure("expected \(name)") }
        depth += 1
        guard depth <= maximumDepth else { throw failure("nested more than \(maximumDepth) levels deep") }
        offset += 1
    }

    mutating func advance(to close: UInt8, isFirst: inout Bool) throws(JSONError) -> Bool {
        skipWhitespace()
        guard offset < bytes.count else { throw failure("unexpected end of text") }
        if bytes[offset] == close {
            offset += 1
            depth -= 1
            return false
        }
        if !isFirst {
            guard bytes[offset] == UInt8(ascii: ",") else {
                throw failure("expected ',' or '\(Character(UnicodeScalar(close)))'")
            }
            offset += 1
            skipWhitespace()
        }
        isFirst = false
        return true
    }

    // MARK: Values

    /// Reads whatever value comes next as a tree.
    public mutating func value() throws(JSONError) -> JSONValue {
        switch try peek() {
        case UInt8(ascii: "{"): return .object(try object())
        case UInt8(ascii: "["): return .array(try array())
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "0"): return try number()
        case UInt8(ascii: "N") where acceptsNonFiniteNumbers:
            try literal("NaN")
            return .double(.nan)
        case UInt8(ascii: "I") where acceptsNonFiniteNumbers:
            try literal("Infinity")
            return .double(.infinity)
        case UInt8(ascii: "t"):
            try literal("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try literal("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try literal("null")
            return .null
        default: throw failure("expected a value")
        }
    }

    /// Reads past whatever value comes next, checking its syntax.
    public mutating func skipValue() throws(JSONError) {
        switch try peek() {
        case UInt8(ascii: "{"):
            try beginObject()
            var isFirst = true
            while try nextKey(isFirst: &isFirst) != nil { try skipValue() }
        case UInt8(ascii: "["):
            try beginArray()
            var isFirst = true
            while try nextElement(isFirst: &isFirst) { try skipValue() }
        case UInt8(ascii: "\""): try skipString()
        default: _ = try value()
        }
    }

    private mutating func object() throws(JSONError) -> JSONObject {
        try beginObject()
        var result = JSONObject()
        var isFirst = true
        while let key = try nextKey(isFirst: &isFirst) { result[key] = try value() }
        return result
    }

    private mutating func array() throws(JSONError) -> [JSONValue] {
        try beginArray()
        var result: [JSONValue] = []
        var isFirst = true
        while try nextElement(isFirst: &isFirst) { result.append(try value()) }
        return result
    }

    mutating func literal(_ word: StaticString) throws(JSONError) {
        let end = offset + word.utf8CodeUnitCount
        guard end <= bytes.count, (0..<word.utf8CodeUnitCount).allSatisfy({ bytes[offset + $0] == word.utf8Start[$0] })
        else { throw failure("expected a value") }
        offset = end
    }

    @inline(__always)
    private mutating func skipWhitespace() {
        while offset < bytes.count, bytes[offset] <= 0x20 {
            switch bytes[offset] {
            case 0x20, 0x0A, 0x0D, 0x09: offset += 1
            default: return
            }
        }
    }

    func failure(_ message: String) -> JSONError { JSONError(message, at: offset) }
}

extension JSONValue {
    /// Parses a whole text. O(bytes).
    public init(parsing bytes: UnsafeBufferPointer<UInt8>, maximumDepth: Int = 512) throws(JSONError) {
        var reader = JSONReader(bytes)
        reader.maximumDepth = maximumDepth
        self = try reader.value()
        try reader.finish()
    }

    /// Parses a whole text. O(bytes).
    public init(parsing text: String) throws {
        self = try JSONReader.read(text) { reader in
            let value = try reader.value()
            try reader.finish()
            return value
        }
    }
}
