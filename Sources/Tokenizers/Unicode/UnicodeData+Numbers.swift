extension UnicodeData {
    /// The hexadecimal numbers of a text. O(bytes).
    static func numbers(_ text: StaticString) -> [UInt32] {
        text.withUTF8Buffer { bytes in
            var result: [UInt32] = []
            result.reserveCapacity(bytes.count / 4)
            var value: UInt32 = 0
            var hasDigits = false
            for byte in bytes {
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt32(byte - UInt8(ascii: "0"))
                case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt32(byte - UInt8(ascii: "a") + 10)
                default:
                    if hasDigits { result.append(value) }
                    value = 0
                    hasDigits = false
                    continue
                }
                hasDigits = true
            }
            if hasDigits { result.append(value) }
            return result
        }
    }
}
