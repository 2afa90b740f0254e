extension JSONReader {
    /// Reads a number: an `int` where it has neither fraction nor exponent and fits 64 bits, else a `double`.
    ///
    /// What a double cannot hold becomes an infinity, as in Python.
    public mutating func number() throws(JSONError) -> JSONValue {
        guard try peek() == UInt8(ascii: "0") else { throw failure("expected a number") }
        let start = offset
        var isInteger = true
        if bytes[offset] == UInt8(ascii: "-") { offset += 1 }
        if acceptsNonFiniteNumbers, offset < bytes.count, bytes[offset] == UInt8(ascii: "I") {
            try literal("Infinity")
            return .double(-.infinity)
        }
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
}
