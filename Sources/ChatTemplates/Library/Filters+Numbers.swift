extension Filters {
    static let absolute: Filter = { interpreter, value, arguments throws(TemplateError) in
        _ = try arguments.bind("abs", [])
        if case .undefined(let undefined) = value { throw undefined.error }
        if case .double(let number) = value { return .double(number.magnitude) }
        guard let integer = value.index else {
            throw TemplateError(.runtime, "bad operand type for abs(): '\(value.typeName)'")
        }
        return integer < 0 ? try interpreter.negated(.int(integer)) : .int(integer)
    }

    static let integer: Filter = { interpreter, value, arguments throws(TemplateError) in
        let bound = try arguments.bind("int", ["default", "base"])
        let fallback = bound[0] ?? .int(0)
        let base = try (bound[1] ?? .int(10)).integer("int()")
        switch value {
        case .string(let text):
            if let result = try PythonNumber.integer(text, base: base) { return .int(result) }
            guard let number = PythonNumber.double(text) else { return fallback }
            return try truncated(number) ?? fallback
        case .double(let number): return try truncated(number) ?? fallback
        case .undefined(let undefined): throw undefined.error
        default: return value.index.map { .int($0) } ?? fallback
        }
    }

    /// The integer part; nil for infinities and NaN.
    private static func truncated(_ number: Double) throws(TemplateError) -> Value? {
        guard number.isFinite else { return nil }
        guard let integer = Int(exactly: number.rounded(.towardZero)) else {
            throw TemplateError(
                .limit, "\(PythonFloat.repr(number)) does not fit a 64-bit integer, the largest that is supported")
        }
        return .int(integer)
    }

    static let float: Filter = { interpreter, value, arguments throws(TemplateError) in
        let fallback = try arguments.bind("float", ["default"])[0] ?? .double(0)
        switch value {
        case .string(let text): return PythonNumber.double(text).map { .double($0) } ?? fallback
        case .undefined(let undefined): throw undefined.error
        default: return value.number.map { .double($0) } ?? fallback
        }
    }

    static let round: Filter = { interpreter, value, arguments throws(TemplateError) in
        let bound = try arguments.bind("round", ["precision", "method"])
        let method = bound[1] ?? .string("common")
        let names: [Value] = [.string("common"), .string("ceil"), .string("floor")]
        guard names.contains(where: { $0.isEqual(to: method) }) else {
            throw TemplateError(.runtime, "method must be common, ceil or floor")
        }
        if case .undefined(let undefined) = value { throw undefined.error }
        guard let number = value.number else {
            throw TemplateError(.runtime, "type \(value.typeName) doesn't define __round__ method")
        }
        let precision = bound[0] ?? .int(0)
        if method.isEqual(to: .string("common")) {
            if case .double = value {
                guard number.isFinite || !precision.isEqual(to: .none) else {
                    throw TemplateError(.runtime, "cannot convert float infinity or NaN to integer")
                }
                return .double(PythonMath.round(number, digits: try precision.integer("round()")))
            }
            return .int(try rounded(value.index ?? 0, places: try precision.integer("round()")))
        }
        let scale = try interpreter.apply(.power, .int(10), precision)
        let scaled = try interpreter.apply(.multiply, value, scale)
        guard let scaledNumber = scaled.number, scaledNumber.isFinite else {
            throw TemplateError(.runtime, "cannot convert float infinity or NaN to integer")
        }
        let isUp = method.isEqual(to: .string("ceil"))
        let whole = try truncated(scaledNumber.rounded(isUp ? .up : .down)) ?? .int(0)
        return try interpreter.apply(.divide, whole, scale)
    }

    /// Python's `round` of an integer: with negative precision to a multiple of a power of ten, half to even.
    private static func rounded(_ integer: Int, places: Int) throws(TemplateError) -> Int {
        guard places < 0 else { return integer }
        guard places > -20 else { return 0 }
        let text = DecimalText.roundInteger(String(integer), places: -places)
        guard let result = Int(text) else {
            throw TemplateError(.limit, "the result does not fit a 64-bit integer, the largest that is supported")
        }
        return result
    }

    static let filesize: Filter = { interpreter, value, arguments throws(TemplateError) in
        let isBinary = try arguments.bind("filesizeformat", ["binary"])[0]?.isTrue ?? false
        var number = value.number
        if case .string(let text) = value { number = PythonNumber.double(text) }
        guard let bytes = number else {
            throw TemplateError(.runtime, "could not convert '\(value.typeName)' to a number")
        }
        let base: Double = isBinary ? 1024 : 1000
        if bytes == 1 { return .string("1 Byte") }
        if bytes < base { return .string("\(PythonMath.fixed(bytes.rounded(.towardZero), digits: 0)) Bytes") }
        var unit = base
        var last = ""
        for letter in isBinary ? ["K", "M", "G", "T", "P", "E", "Z", "Y"] : ["k", "M", "G", "T", "P", "E", "Z", "Y"] {
            unit *= base
            last = "\(PythonMath.fixed(base * bytes / unit, digits: 1)) \(letter)\(isBinary ? "i" : "")B"
            if bytes < unit { break }
        }
        return .string(last)
    }
}

/// Reads numbers as Python's `int(text, base)` and `float(text)` do.
enum PythonNumber {
    /// nil when `text` is not an integer of `base`. Errors: `limit` when it does not fit 64 bits.
    static func integer(_ text: Text, base: Int) throws(TemplateError) -> Int? {
        guard base == 0 || (2...36).contains(base), var digits = digits(of: text) else { return nil }
        var base = base
        let isNegative = digits.first == UInt8(ascii: "-")
        if isNegative || digits.first == UInt8(ascii: "+") { digits.removeFirst() }
        if digits.count > 1, digits[0] == UInt8(ascii: "0"),
            let radix = [UInt8(ascii: "x"): 16, UInt8(ascii: "o"): 8, UInt8(ascii: "b"): 2][digits[1] | 0x20],
            base == 0 || base == radix
        {
            base = radix
            digits.removeFirst(2)
            if digits.first == UInt8(ascii: "_") { digits.removeFirst() }
        } else if base == 0 {
            if digits.first == UInt8(ascii: "0"), digits.contains(where: { $0 != UInt8(ascii: "0") && $0 != 0x5F }) {
                return nil
            }
            base = 10
        }
        guard let plain = withoutSeparators(digits) else { return nil }
        var value = 0
        var isTooLarge = false
        for byte in plain {
            guard let digit = Character(UnicodeScalar(byte)).hexOrLetterValue, digit < base else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: base)
            let (sum, carry) = product.addingReportingOverflow(isNegative ? -digit : digit)
            isTooLarge = isTooLarge || overflow || carry
            value = sum
        }
        if isTooLarge {
            throw TemplateError(.limit, "an integer does not fit 64 bits, the largest that is supported")
        }
        return value
    }

    static func double(_ text: Text) -> Double? {
        guard var digits = digits(of: text) else { return nil }
        let sign = digits.first
        let hasSign = sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+")
        let body = String(decoding: digits.dropFirst(hasSign ? 1 : 0), as: UTF8.self).lowercased()
        switch body {
        case "inf", "infinity": return sign == UInt8(ascii: "-") ? -.infinity : .infinity
        case "nan": return .nan
        default: break
        }
        guard let first = body.utf8.first, first &- 0x30 < 10 || first == UInt8(ascii: ".") else { return nil }
        if digits.contains(0x5F) {
            for (position, byte) in digits.enumerated() where byte == 0x5F {
                guard position > 0, position + 1 < digits.count, digits[position - 1] &- 0x30 < 10,
                    digits[position + 1] &- 0x30 < 10
                else { return nil }
            }
            digits.removeAll { $0 == 0x5F }
        }
        guard digits.allSatisfy({ $0 &- 0x30 < 10 || "+-.eE".utf8.contains($0) }) else { return nil }
        var plain = digits
        if let point = plain.firstIndex(of: UInt8(ascii: ".")) {
            // Swift wants digits on both sides of the point, Python on one.
            let before = point > 0 && plain[point - 1] &- 0x30 < 10
            let after = point + 1 < plain.count && plain[point + 1] &- 0x30 < 10
            guard before || after else { return nil }
            if !after { plain.insert(0x30, at: point + 1) }
            if !before { plain.insert(0x30, at: point) }
        }
        return Double(String(decoding: plain, as: UTF8.self))
    }

    /// The text without white space around it, with digits of all scripts as ASCII; nil when other characters remain.
    private static func digits(of text: Text) -> [UInt8]? {
        let text = text.stripped()
        if text.isASCII { return text.bytes.isEmpty ? nil : text.bytes }
        var result: [UInt8] = []
        for scalar in text.scalars {
            if scalar.isASCII {
                result.append(UInt8(scalar.value))
            } else if let digit = scalar.decimalDigit {
                result.append(UInt8(ascii: "0") + UInt8(digit))
            } else {
                return nil
            }
        }
        return result
    }

    /// The digits without single underscores between them; nil when an underscore stands elsewhere.
    private static func withoutSeparators(_ digits: [UInt8]) -> [UInt8]? {
        guard let first = digits.first, let last = digits.last, first != 0x5F, last != 0x5F else { return nil }
        for position in digits.indices.dropFirst() where digits[position] == 0x5F && digits[position - 1] == 0x5F {
            return nil
        }
        return digits.filter { $0 != 0x5F }
    }
}

extension Character {
    /// The value of a digit or letter in bases up to 36.
    fileprivate var hexOrLetterValue: Int? {
        guard let byte = asciiValue else { return nil }
        if byte &- 0x30 < 10 { return Int(byte) - 0x30 }
        let lower = byte | 0x20
        return lower &- 0x61 < 26 ? Int(lower) - 0x61 + 10 : nil
    }
}
