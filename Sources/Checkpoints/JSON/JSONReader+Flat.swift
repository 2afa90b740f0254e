/// Reading that builds neither strings nor trees, for files with hundreds of thousands of values.
extension JSONReader {
    /// Reads a string into `buffer` (emptied first) as UTF-8. O(length); allocates only when the buffer must grow.
    public mutating func string(into buffer: inout [UInt8]) throws(JSONError) {
        buffer.removeAll(keepingCapacity: true)
        try withStringBytes { bytes, _ in buffer.append(contentsOf: bytes) }
    }

    /// Moves to the next member of an object and reads its key into `buffer`; false at the object's end.
    public mutating func nextKey(isFirst: inout Bool, into buffer: inout [UInt8]) throws(JSONError) -> Bool {
        guard try advance(to: UInt8(ascii: "}"), isFirst: &isFirst) else { return false }
        try string(into: &buffer)
        guard try peek() == UInt8(ascii: ":") else { throw failure("expected ':' after a key") }
        offset += 1
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
