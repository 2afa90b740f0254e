/// Reading that builds neither strings nor trees, for files with hundreds of thousands of values.
extension JSONReader {
    /// Reads a string into `buffer` (emptied first) as UTF-8. O(length); allocates only when the buffer must grow.
    public mutating func string(into buffer: inout [UInt8]) throws(JSONError) {
        buffer.removeAll(keepingCapacity: true)
        guard try peek() == UInt8(ascii: "\"") else { throw failure("expected a string") }
        let start = offset + 1
        var position = start
        var high: UInt8 = 0
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                buffer.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[start..<position]))
                guard high < 0x80 || Self.isUTF8(buffer) else {
                    throw JSONError("invalid UTF-8 in a string", at: start)
                }
                offset = position + 1
                return
            }
            if byte == UInt8(ascii: "\\") {
                buffer.append(contentsOf: try string().utf8)
                return
            }
            if byte < 0x20 { throw JSONError("control character in a string", at: position) }
            high |= byte
            position += 1
        }
        throw JSONError("unterminated string", at: bytes.count)
    }

    /// Moves to the next member of an object and reads its key into `buffer`; false at the object's end.
    public mutating func nextKey(isFirst: inout Bool, into buffer: inout [UInt8]) throws(JSONError) -> Bool {
        guard try advance(to: UInt8(ascii: "}"), isFirst: &isFirst) else { return false }
        try string(into: &buffer)
        guard try peek() == UInt8(ascii: ":") else { throw failure("expected ':' after a key") }
        offset += 1
        return true
    }

    private static func isUTF8(_ bytes: [UInt8]) -> Bool {
        var position = 0
        while position < bytes.count {
            let lead = bytes[position]
            if lead < 0x80 {
                position += 1
                continue
            }
            let length: Int
            var lowest: UInt8 = 0x80
            var highest: UInt8 = 0xBF
            switch lead {
            case 0xC2...0xDF: length = 2
            case 0xE0...0xEF:
                length = 3
                if lead == 0xE0 { lowest = 0xA0 }
                if lead == 0xED { highest = 0x9F }
            case 0xF0...0xF4:
                length = 4
                if lead == 0xF0 { lowest = 0x90 }
                if lead == 0xF4 { highest = 0x8F }
            default: return false
            }
            guard position + length <= bytes.count, bytes[position + 1] >= lowest, bytes[position + 1] <= highest
            else { return false }
            for index in position + 2..<max(position + length, position + 2) where bytes[index] & 0xC0 != 0x80 {
                return false
            }
            position += length
        }
        return true
    }

    /// Passes over whatever value comes next by matching brackets and quotes alone.
    ///
    /// For a value that is read again later with full checks. O(length), no recursion.
    public mutating func skipRawValue() throws(JSONError) {
        let first = try peek()
        guard first == UInt8(ascii: "{") || first == UInt8(ascii: "[") else { return try skipValue() }
        var depth = 0
        var position = offset
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth == 0 {
                    offset = position + 1
                    return
                }
            case UInt8(ascii: "\""):
                position += 1
                while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
                    position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
                }
            default: break
            }
            position += 1
        }
        throw JSONError("unexpected end of text", at: bytes.count)
    }
}

extension JSONReader {
    /// A reader that begins in the middle of a text; offsets in errors count from the text's start.
    public init(_ bytes: UnsafeBufferPointer<UInt8>, startingAt start: Int) {
        self.init(bytes)
        offset = Swift.min(Swift.max(start, offset), bytes.count)
    }
}
