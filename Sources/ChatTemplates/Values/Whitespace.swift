/// White space as Python's `str` knows it (`str.isspace`, `str.strip`, `\s`), which has more members than Unicode's.
enum Whitespace {
    static func contains(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000:
            true
        default: false
        }
    }

    /// The number of bytes of the white space character that starts at `offset`, or 0.
    static func length(at offset: Int, in bytes: [UInt8]) -> Int {
        let byte = bytes[offset]
        if byte < 0x80 { return (0x09...0x0D).contains(byte) || (0x1C...0x20).contains(byte) ? 1 : 0 }
        if byte == 0xC2, offset + 1 < bytes.count {
            return bytes[offset + 1] == 0x85 || bytes[offset + 1] == 0xA0 ? 2 : 0
        }
        guard byte >= 0xE1, byte <= 0xE3, offset + 2 < bytes.count else { return 0 }
        let value = UInt32(byte & 0x0F) << 12 | UInt32(bytes[offset + 1] & 0x3F) << 6 | UInt32(bytes[offset + 2] & 0x3F)
        return Unicode.Scalar(value).map(contains) == true ? 3 : 0
    }

    /// The byte position after the white space that starts at `offset`.
    static func end(from offset: Int, in bytes: [UInt8]) -> Int {
        var offset = offset
        while offset < bytes.count {
            let length = length(at: offset, in: bytes)
            if length == 0 { break }
            offset += length
        }
        return offset
    }

    /// The byte position at which the white space that ends at `offset` starts, not before `lower`.
    static func start(before offset: Int, in bytes: [UInt8], lower: Int = 0) -> Int {
        var offset = offset
        while offset > lower {
            var first = offset - 1
            while first > lower, bytes[first] & 0xC0 == 0x80 { first -= 1 }
            if first + length(at: first, in: bytes) != offset { break }
            offset = first
        }
        return offset
    }
}

extension Text {
    func strippedStart() -> Text { slice(bytes: Whitespace.end(from: 0, in: bytes)..<bytes.count) }
    func strippedEnd() -> Text { slice(bytes: 0..<Whitespace.start(before: bytes.count, in: bytes)) }

    func stripped() -> Text {
        let start = Whitespace.end(from: 0, in: bytes)
        return slice(bytes: start..<Whitespace.start(before: bytes.count, in: bytes, lower: start))
    }

    /// The text split at Python's line boundaries, as `str.splitlines` does.
    func lines(keepEnds: Bool) -> [Text] {
        var result: [Text] = []
        var start = 0
        var offset = 0
        while offset < bytes.count {
            let length = lineBreakLength(at: offset)
            if length == 0 {
                offset += 1
                continue
            }
            result.append(slice(bytes: start..<(keepEnds ? offset + length : offset)))
            offset += length
            start = offset
        }
        if start < bytes.count { result.append(slice(bytes: start..<bytes.count)) }
        return result
    }

    private func lineBreakLength(at offset: Int) -> Int {
        switch bytes[offset] {
        case 0x0D: offset + 1 < bytes.count && bytes[offset + 1] == 0x0A ? 2 : 1
        case 0x0A, 0x0B, 0x0C, 0x1C, 0x1D, 0x1E: 1
        case 0xC2: bytes[offset + 1] == 0x85 ? 2 : 0
        case 0xE2: bytes[offset + 1] == 0x80 && (bytes[offset + 2] == 0xA8 || bytes[offset + 2] == 0xA9) ? 3 : 0
        default: 0
        }
    }
}
