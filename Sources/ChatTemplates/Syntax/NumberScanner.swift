/// Reads Jinja's number literals: digits may be grouped by single underscores.
struct NumberScanner {
    let bytes: [UInt8]
    var offset: Int

    private func byte(_ position: Int) -> UInt8 { position < bytes.count ? bytes[position] : 0 }
    private func isDigit(_ position: Int) -> Bool { byte(position) &- UInt8(ascii: "0") < 10 }

    /// The position after the digits, grouped by `_`, that start at `position`.
    private func digitsEnd(_ position: Int, where isDigit: (UInt8) -> Bool) -> Int {
        var position = position
        while isDigit(byte(position)) || byte(position) == UInt8(ascii: "_") && isDigit(byte(position + 1)) {
            position += 1
        }
        return position
    }

    private func decimalEnd(_ position: Int) -> Int { digitsEnd(position) { $0 &- UInt8(ascii: "0") < 10 } }

    /// A number with a fraction or an exponent; nil, and nothing read, when there is neither.
    mutating func double() -> Double? {
        var end = decimalEnd(offset)
        var isDouble = false
        if byte(end) == UInt8(ascii: "."), isDigit(end + 1) {
            end = decimalEnd(end + 1)
            isDouble = true
        }
        if byte(end) | 0x20 == UInt8(ascii: "e") {
            let hasSign = byte(end + 1) == UInt8(ascii: "+") || byte(end + 1) == UInt8(ascii: "-")
            let digits = end + (hasSign ? 2 : 1)
            if isDigit(digits) {
                end = decimalEnd(digits)
                isDouble = true
            }
        }
        guard isDouble else { return nil }
        let text = String(decoding: bytes[offset..<end].filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
        guard let value = Double(text) else { return nil }
        offset = end
        return value
    }

    /// An integer; nil when it does not fit 64 bits.
    mutating func integer() -> Int? {
        if byte(offset) == UInt8(ascii: "0") {
            for (letter, radix) in [(UInt8(ascii: "b"), 2), (UInt8(ascii: "o"), 8), (UInt8(ascii: "x"), 16)]
            where byte(offset + 1) | 0x20 == letter {
                let end = digitsEnd(offset + 2) { Int(String(UnicodeScalar($0)), radix: radix) != nil }
                if end > offset + 2 { return integer(from: offset + 2, to: end, radix: radix) }
            }
            let end = digitsEnd(offset) { $0 == UInt8(ascii: "0") }
            return integer(from: offset, to: end, radix: 10)
        }
        return integer(from: offset, to: decimalEnd(offset), radix: 10)
    }

    private mutating func integer(from start: Int, to end: Int, radix: Int) -> Int? {
        let digits = bytes[start..<end].filter { $0 != UInt8(ascii: "_") }
        offset = end
        return Int(String(decoding: digits, as: UTF8.self), radix: radix)
    }
}
