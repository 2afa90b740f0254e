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

    private mutating func literal(_ word: StaticString) throws(JSONError) {
        let end = offset + word.utf8CodeUnitCount
        guard end <= bytes.count, (0..<word.utf8CodeUnitCount).allSatisfy({ bytes[offset + $0] == word.utf8Start[$0] })
        else { throw failure("expected a value") }
        offset = end
    }

    /// Reads a number: an `int` where it has neither fraction nor exponent and fits 64 bits, else a `double`.
    public mutating func number() throws(JSONError) -> JSONValue {
        guard try peek() == UInt8(ascii: "0") else { throw failure("expected a number") }
        let start = offset
        var isInteger = true
        if bytes[offset] == UInt8(ascii: "-") { offset += 1 }
        let integerDigits = skipDigits()
        guard integerDigits > 0 else { throw failure("expected a digit") }
        if integerDigits > 1, bytes[offset - integerDigits] == UInt8(ascii: "0") {
            throw failure("a number cannot start with 0")
        }
        if offset < bytes.count, bytes[offset] == UInt8(ascii: ".") {
            isInteger = false
            offset += 1
            guard skipDigits() > 0 else { throw failure("expected a digit after '.'") }
        }
        if offset < bytes.count, bytes[offset] | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            offset += 1
            if offset < bytes.count, bytes[offset] == UInt8(ascii: "+") || bytes[offset] == UInt8(ascii: "-") {
                offset += 1
            }
            guard skipDigits() > 0 else { throw failure("expected a digit in the exponent") }
        }
        if isInteger, let value = integer(start..<offset) { return .int(value) }
        return .double(try double(start..<offset))
    }

    private mutating func skipDigits() -> Int {
        let start = offset
        while offset < bytes.count, bytes[offset] &- UInt8(ascii: "0") < 10 { offset += 1 }
        return offset - start
    }

    private func integer(_ range: Range<Int>) -> Int? {
        var result = 0
        let isNegative = bytes[range.lowerBound] == UInt8(ascii: "-")
        for position in range.dropFirst(isNegative ? 1 : 0) {
            let (product, overflow) = result.multipliedReportingOverflow(by: 10)
            let digit = Int(bytes[position] &- UInt8(ascii: "0"))
            let (sum, carry) = product.addingReportingOverflow(isNegative ? -digit : digit)
            if overflow || carry { return nil }
            result = sum
        }
        return result
    }

    private func double(_ range: Range<Int>) throws(JSONError) -> Double {
        let text = String(decoding: bytes[range], as: UTF8.self)
        guard let value = Double(text) else { throw JSONError("unreadable number", at: range.lowerBound) }
        return value
    }

    private mutating func skipWhitespace() {
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x20, 0x0A, 0x0D, 0x09: offset += 1
            default: return
            }
        }
    }

    func failure(_ message: String) -> JSONError { JSONError(message, at: offset) }

    // MARK: Strings

    /// Reads a string. O(length); copies once.
    public mutating func string() throws(JSONError) -> String {
        guard try peek() == UInt8(ascii: "\"") else { throw failure("expected a string") }
        offset += 1
        let start = offset
        var position = offset
        var isASCII = true
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                offset = position + 1
                return try text(start..<position, isASCII: isASCII)
            }
            if byte == UInt8(ascii: "\\") { return try escapedString(start: start, firstEscape: position) }
            if byte < 0x20 {
                offset = position
                throw failure("control character in a string")
            }
            if byte >= 0x80 { isASCII = false }
            position += 1
        }
        offset = bytes.count
        throw failure("unterminated string")
    }

    private func text(_ range: Range<Int>, isASCII: Bool) throws(JSONError) -> String {
        let slice = UnsafeBufferPointer(rebasing: bytes[range])
        if isASCII { return String(decoding: slice, as: UTF8.self) }
        guard let text = String(validating: slice, as: UTF8.self) else {
            throw JSONError("invalid UTF-8 in a string", at: range.lowerBound)
        }
        return text
    }

    private mutating func escapedString(start: Int, firstEscape: Int) throws(JSONError) -> String {
        var buffer: [UInt8] = []
        buffer.append(contentsOf: bytes[start..<firstEscape])
        offset = firstEscape
        while offset < bytes.count {
            let byte = bytes[offset]
            switch byte {
            case UInt8(ascii: "\""):
                offset += 1
                guard let text = String(validating: buffer, as: UTF8.self) else {
                    throw JSONError("invalid UTF-8 in a string", at: start)
                }
                return text
            case UInt8(ascii: "\\"):
                offset += 1
                try appendEscape(to: &buffer)
            case 0..<0x20: throw failure("control character in a string")
            default:
                buffer.append(byte)
                offset += 1
            }
        }
        throw failure("unterminated string")
    }

    private mutating func appendEscape(to buffer: inout [UInt8]) throws(JSONError) {
        guard offset < bytes.count else { throw failure("unterminated string") }
        let byte = bytes[offset]
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): buffer.append(byte)
        case UInt8(ascii: "b"): buffer.append(0x08)
        case UInt8(ascii: "f"): buffer.append(0x0C)
        case UInt8(ascii: "n"): buffer.append(0x0A)
        case UInt8(ascii: "r"): buffer.append(0x0D)
        case UInt8(ascii: "t"): buffer.append(0x09)
        case UInt8(ascii: "u"): append(try unicodeEscape(), to: &buffer)
        default: throw failure("unknown escape in a string")
        }
    }

    private func append(_ scalar: UnicodeScalar, to buffer: inout [UInt8]) {
        buffer.append(contentsOf: Array(String(Character(scalar)).utf8))
    }

    private mutating func unicodeEscape() throws(JSONError) -> UnicodeScalar {
        let replacement: UnicodeScalar = "\u{FFFD}"
        let high = try hexDigits()
        guard high & 0xFC00 == 0xD800 else { return UnicodeScalar(high) ?? replacement }
        guard offset + 1 < bytes.count, bytes[offset] == UInt8(ascii: "\\"), bytes[offset + 1] == UInt8(ascii: "u")
        else { return replacement }
        let mark = offset
        offset += 2
        let low = try hexDigits()
        guard low & 0xFC00 == 0xDC00 else {
            offset = mark
            return replacement
        }
        return UnicodeScalar(0x10000 + ((high & 0x3FF) << 10) + (low & 0x3FF)) ?? replacement
    }

    private mutating func hexDigits() throws(JSONError) -> UInt32 {
        guard offset + 4 <= bytes.count else { throw failure("incomplete \\u escape") }
        var result: UInt32 = 0
        for _ in 0..<4 {
            let byte = bytes[offset]
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: throw failure("invalid digit in a \\u escape")
            }
            result = result << 4 | UInt32(digit)
            offset += 1
        }
        return result
    }
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
