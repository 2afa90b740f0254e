/// Python's text of floating-point numbers.
enum PythonFloat {
    /// `repr(value)`: the shortest digits that read back as the same number, with an exponent from 1e16 on and below 1e-4.
    static func repr(_ value: Double) -> String {
        if value.isNaN { return "nan" }
        if value.isInfinite { return value < 0 ? "-inf" : "inf" }
        let (digits, exponent) = shortestDigits(value.magnitude)
        let sign = value.sign == .minus ? "-" : ""
        if exponent < -4 || exponent >= 16 { return sign + scientific(digits, exponent) }
        return sign + positional(digits, exponent)
    }

    /// The shortest significant digits and the decimal exponent of the first of them.
    static func shortestDigits(_ magnitude: Double) -> (digits: [UInt8], exponent: Int) {
        if magnitude == 0 { return ([UInt8(ascii: "0")], 0) }
        var digits: [UInt8] = []
        var exponent = 0
        var pointSeen = false
        var leading = true
        let parts = magnitude.description.utf8.split(separator: UInt8(ascii: "e"))
        for byte in parts[0] {
            if byte == UInt8(ascii: ".") {
                pointSeen = true
                continue
            }
            if leading, byte == UInt8(ascii: "0") {
                if pointSeen { exponent -= 1 }
                continue
            }
            if leading {
                leading = false
                exponent = pointSeen ? exponent - 1 : 0
            } else if !pointSeen {
                exponent += 1
            }
            digits.append(byte)
        }
        if parts.count > 1 { exponent += Int(String(decoding: parts[1], as: UTF8.self)) ?? 0 }
        while digits.count > 1, digits.last == UInt8(ascii: "0") { digits.removeLast() }
        return (digits, exponent)
    }

    private static func scientific(_ digits: [UInt8], _ exponent: Int) -> String {
        var text = digits.prefix(1)
        if digits.count > 1 { text += [UInt8(ascii: ".")] + digits.dropFirst() }
        let magnitude = String(abs(exponent))
        return String(decoding: text, as: UTF8.self) + (exponent < 0 ? "e-" : "e+")
            + (magnitude.utf8.count < 2 ? "0" : "") + magnitude
    }

    private static func positional(_ digits: [UInt8], _ exponent: Int) -> String {
        let text = String(decoding: digits, as: UTF8.self)
        if exponent < 0 { return "0." + String(repeating: "0", count: -exponent - 1) + text }
        if digits.count <= exponent + 1 {
            return text + String(repeating: "0", count: exponent + 1 - digits.count) + ".0"
        }
        return String(decoding: digits[...exponent], as: UTF8.self) + "."
            + String(decoding: digits[(exponent + 1)...], as: UTF8.self)
    }
}
