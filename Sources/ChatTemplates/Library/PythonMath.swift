#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Python's arithmetic of floating-point numbers, where it differs from the hardware's.
enum PythonMath {
    /// Quotient and remainder as Python's `divmod` gives them: the remainder has the divisor's sign.
    static func floorDivide(_ left: Double, _ right: Double) -> (quotient: Double, remainder: Double) {
        var remainder = fmod(left, right)
        var quotient = (left - remainder) / right
        if remainder != 0 {
            if (right < 0) != (remainder < 0) {
                remainder += right
                quotient -= 1
            }
        } else {
            remainder = right < 0 ? -0.0 : 0
        }
        guard quotient != 0 else { return (left / right < 0 ? -0.0 : 0, remainder) }
        let floor = quotient.rounded(.down)
        return (quotient - floor > 0.5 ? floor + 1 : floor, remainder)
    }

    static func power(_ base: Double, _ exponent: Double) throws(TemplateError) -> Double {
        if base == 0, exponent < 0 { throw TemplateError(.runtime, "zero to a negative power") }
        if base < 0, base.isFinite, exponent.isFinite, exponent != exponent.rounded() {
            throw TemplateError(.unsupported, "complex numbers are not supported")
        }
        let result = pow(base, exponent)
        if result.isInfinite, base.isFinite, exponent.isFinite {
            throw TemplateError(.runtime, "(34, 'Numerical result out of range')")
        }
        return result
    }

    /// Python's `round(value, digits)`: the nearest decimal, ties by the exact value.
    static func round(_ value: Double, digits: Int) -> Double {
        guard value.isFinite, digits <= 322, digits >= -308 else {
            return digits < -308 ? 0 * value : value
        }
        if digits == 0 { return value.rounded(.toNearestOrEven) }
        if digits > 0 {
            return Double(fixed(value, digits: digits)) ?? value
        }
        let exact = fixed(value, digits: 0)
        return Double(DecimalText.roundInteger(exact, places: -digits)) ?? value
    }

    /// The value with exactly `digits` decimals, rounded half to even by its exact value (C's `%.*f`).
    static func fixed(_ value: Double, digits: Int) -> String { formatted(value, "f", digits) }

    /// C's `%.*<conversion>` for one of `f`, `e`, `g`, `F`, `E`, `G`; with `#` when `keepsPoint`.
    static func formatted(_ value: Double, _ conversion: Character, _ precision: Int, keepsPoint: Bool = false)
        -> String
    {
        let format = "%\(keepsPoint ? "#" : "").*\(conversion)"
        let precision = Int32(clamping: precision)
        return withVaList([precision, value]) { arguments in
            var buffer = [CChar](repeating: 0, count: 400 + Int(max(precision, 0)))
            let length = vsnprintf(&buffer, buffer.count, format, arguments)
            return String(decoding: buffer.prefix(max(0, Int(length))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }
}

/// Decimal numbers as text.
enum DecimalText {
    /// Rounds the integer `text` to a multiple of 10 to the power `places`, half to even.
    static func roundInteger(_ text: String, places: Int) -> String {
        let isNegative = text.hasPrefix("-")
        var digits = Array(text.utf8.drop { $0 == UInt8(ascii: "-") })
        if digits.count < places { return isNegative ? "-0" : "0" }
        digits.insert(UInt8(ascii: "0"), at: 0)
        let kept = digits.count - places
        let first = digits[kept]
        let isTie = first == UInt8(ascii: "5") && digits[(kept + 1)...].allSatisfy { $0 == UInt8(ascii: "0") }
        let up = first > UInt8(ascii: "5") || first == UInt8(ascii: "5") && (!isTie || digits[kept - 1] % 2 == 1)
        for position in kept..<digits.count { digits[position] = UInt8(ascii: "0") }
        var position = kept - 1
        while up, position >= 0 {
            if digits[position] < UInt8(ascii: "9") {
                digits[position] += 1
                break
            }
            digits[position] = UInt8(ascii: "0")
            position -= 1
        }
        return (isNegative ? "-" : "") + String(decoding: digits, as: UTF8.self)
    }
}
