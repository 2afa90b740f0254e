extension JSONReader {
    /// Reads a string. O(length); copies once.
    public mutating func string() throws(JSONError) -> String {
        try withStringBytes { bytes, isASCII in
            // Checked just now, so there is no need to check again.
            String(copying: UTF8Span(unchecked: Span(_unsafeElements: bytes), isKnownASCII: isASCII))
        }
    }

    /// Reads a string and passes its UTF-8, checked and with escapes resolved, to `body`.
    ///
    /// For readers of large tables that keep bytes: nothing is copied unless the string holds escapes. The bytes are
    /// valid during the call only.
    public mutating func withStringBytes<R>(
        _ body: (_ bytes: UnsafeBufferPointer<UInt8>, _ isASCII: Bool) -> R
    ) throws(JSONError) -> R {
        guard try peek() == UInt8(ascii: "\"") else { throw failure("expected a string") }
        let start = offset + 1
        let (end, isASCII) = plainRun(from: start)
        guard end < bytes.count else {
            offset = bytes.count
            throw failure("unterminated string")
        }
        if bytes[end] == UInt8(ascii: "\\") { return try withEscapedString(start: start, firstEscape: end, body) }
        guard bytes[end] == UInt8(ascii: "\"") else {
            offset = end
            throw failure("control character in a string")
        }
        let slice = UnsafeBufferPointer(rebasing: bytes[start..<end])
        guard isASCII || Self.isValid(slice) else { throw JSONError("invalid UTF-8 in a string", at: start) }
        offset = end + 1
        return body(slice, isASCII)
    }

    /// Reads past a string, checking it as `string()` does.
    mutating func skipString() throws(JSONError) { try withStringBytes { _, _ in } }

    /// The end of the run of ordinary characters that starts at `start`, and whether all of them are ASCII.
    private func plainRun(from start: Int) -> (end: Int, isASCII: Bool) {
        var position = start
        var seen: UInt64 = 0
        // Eight bytes at a time while none is a quote, a backslash or a control character. Borrows in the subtractions
        // can only report too much, and only above a byte that is truly special, so the loop below decides.
        let ones: UInt64 = 0x0101_0101_0101_0101
        let raw = UnsafeRawBufferPointer(bytes)
        while position + 8 <= bytes.count {
            let word = raw.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            let quote = word ^ (ones &* 0x22)
            let backslash = word ^ (ones &* 0x5C)
            let hits =
                ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash) | ((word &- ones &* 0x20) & ~word)
            if hits & (ones &* 0x80) != 0 { break }
            seen |= word
            position += 8
        }
        var seenByte: UInt8 = 0
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { break }
            seenByte |= byte
            position += 1
        }
        return (position, seen & (ones &* 0x80) == 0 && seenByte < 0x80)
    }

    private static func isValid(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        (try? UTF8Span(validating: Span(_unsafeElements: bytes))) != nil
    }

    // MARK: Escapes

    private mutating func withEscapedString<R>(
        start: Int, firstEscape: Int, _ body: (UnsafeBufferPointer<UInt8>, Bool) -> R
    ) throws(JSONError) -> R {
        var buffer: [UInt8] = []
        var position = start
        var end = firstEscape
        while true {
            buffer.append(contentsOf: bytes[position..<end])
            guard end < bytes.count else {
                offset = bytes.count
                throw failure("unterminated string")
            }
            offset = end + 1
            if bytes[end] == UInt8(ascii: "\"") { break }
            guard bytes[end] == UInt8(ascii: "\\") else {
                offset = end
                throw failure("control character in a string")
            }
            try appendEscape(to: &buffer)
            position = offset
            end = plainRun(from: position).end
        }
        let result: R? = buffer.withUnsafeBufferPointer { buffer in Self.isValid(buffer) ? body(buffer, false) : nil }
        guard let result else { throw JSONError("invalid UTF-8 in a string", at: start) }
        return result
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
        buffer.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
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
