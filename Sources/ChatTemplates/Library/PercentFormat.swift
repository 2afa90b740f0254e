/// One conversion of a `%` format.
private struct Conversion {
    var key: Text?
    var flags: Set<UInt8> = []
    var width = 0
    var precision: Int?
    var type: UInt8 = 0

    func has(_ flag: Character) -> Bool { flag.asciiValue.map { flags.contains($0) } ?? false }
}

/// Where a `%` format takes its values from.
private struct FormatValues {
    let values: [Value]
    let mapping: MappingTable?
    /// Whether values that are left over are an error.
    let isTuple: Bool
    var position = 0

    mutating func next() throws(TemplateError) -> Value {
        guard position < values.count else {
            throw TemplateError(.runtime, "not enough arguments for format string")
        }
        position += 1
        return values[position - 1]
    }
}

extension Interpreter {
    /// Python's `format % values`.
    func percentFormat(_ format: Text, _ values: Value) throws(TemplateError) -> Value {
        var source: FormatValues
        switch values {
        case .tuple(let elements): source = FormatValues(values: elements.values, mapping: nil, isTuple: true)
        case .dict(let mapping): source = FormatValues(values: [values], mapping: mapping.table, isTuple: false)
        case .list, .range, .undefined: source = FormatValues(values: [values], mapping: nil, isTuple: false)
        default: source = FormatValues(values: [values], mapping: nil, isTuple: true)
        }
        var result: [UInt8] = []
        var position = 0
        let bytes = format.bytes
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            guard byte == UInt8(ascii: "%") else {
                result.append(byte)
                continue
            }
            try step()
            let conversion = try parse(bytes, &position, &source)
            result.append(contentsOf: try convert(conversion, &source).bytes)
            try checkSize(result.count)
        }
        let isComplete = source.position == source.values.count || !source.isTuple
        guard isComplete else { throw TemplateError(.runtime, "not all arguments converted during string formatting") }
        return try string(Text(utf8: result))
    }

    private func parse(_ bytes: [UInt8], _ position: inout Int, _ source: inout FormatValues) throws(TemplateError)
        -> Conversion
    {
        var conversion = Conversion()
        func peek() -> UInt8 { position < bytes.count ? bytes[position] : 0 }
        if peek() == UInt8(ascii: "(") {
            var depth = 0
            let start = position + 1
            repeat {
                if peek() == UInt8(ascii: "(") { depth += 1 }
                if peek() == UInt8(ascii: ")") { depth -= 1 }
                position += 1
            } while depth > 0 && position < bytes.count
            guard depth == 0 else { throw TemplateError(.runtime, "incomplete format key") }
            guard source.mapping != nil else { throw TemplateError(.runtime, "format requires a mapping") }
            conversion.key = Text(utf8: bytes[start..<(position - 1)])
        }
        while "#0- +".utf8.contains(peek()), position < bytes.count {
            conversion.flags.insert(peek())
            position += 1
        }
        if let width = try number(bytes, &position, &source) {
            if width < 0 { conversion.flags.insert(UInt8(ascii: "-")) }
            conversion.width = Int(clamping: width.magnitude)
        }
        if peek() == UInt8(ascii: ".") {
            position += 1
            conversion.precision = max(0, try number(bytes, &position, &source) ?? 0)
        }
        if "hlL".utf8.contains(peek()), position < bytes.count { position += 1 }
        guard position < bytes.count else { throw TemplateError(.runtime, "incomplete format") }
        conversion.type = peek()
        position += 1
        return conversion
    }

    private func number(_ bytes: [UInt8], _ position: inout Int, _ source: inout FormatValues) throws(TemplateError)
        -> Int?
    {
        if position < bytes.count, bytes[position] == UInt8(ascii: "*") {
            position += 1
            guard case .int(let value) = try source.next() else { throw TemplateError(.runtime, "* wants int") }
            return value
        }
        var value: Int?
        while position < bytes.count, bytes[position] &- 0x30 < 10 {
            value = (value ?? 0) * 10 + Int(bytes[position] - 0x30)
            guard value ?? 0 < 1 << 40 else { throw TemplateError(.runtime, "width or precision too big") }
            position += 1
        }
        return value
    }

    private func convert(_ conversion: Conversion, _ source: inout FormatValues) throws(TemplateError) -> Text {
        if conversion.type == UInt8(ascii: "%"), conversion.key == nil { return "%" }
        let value: Value
        if let key = conversion.key {
            guard let found = source.mapping?.value(for: key) else {
                throw TemplateError(.runtime, "format: no key '\(key.string)'")
            }
            value = found
        } else {
            value = try source.next()
        }
        switch conversion.type {
        case UInt8(ascii: "s"), UInt8(ascii: "r"), UInt8(ascii: "a"):
            var text = conversion.type == UInt8(ascii: "s") ? try self.text(of: value) : try repr(of: value)
            if conversion.type == UInt8(ascii: "a") { text = text.asciiEscaped }
            if let precision = conversion.precision { text = text.slice(0, min(precision, text.count)) }
            return try padded(text, conversion.width, " ", conversion.has("-") ? .left : .right)
        case UInt8(ascii: "c"):
            return try padded(try character(value), conversion.width, " ", conversion.has("-") ? .left : .right)
        case UInt8(ascii: "d"), UInt8(ascii: "i"), UInt8(ascii: "u"), UInt8(ascii: "x"), UInt8(ascii: "X"),
            UInt8(ascii: "o"):
            return try integer(value, conversion)
        case UInt8(ascii: "f"), UInt8(ascii: "F"), UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "g"),
            UInt8(ascii: "G"):
            return try double(value, conversion)
        default:
            throw TemplateError(
                .runtime, "unsupported format character '\(Character(UnicodeScalar(conversion.type)))'")
        }
    }

    private func character(_ value: Value) throws(TemplateError) -> Text {
        if case .string(let text) = value, text.count == 1 { return text }
        guard let code = value.index, let scalar = UInt32(exactly: code).flatMap(Unicode.Scalar.init) else {
            throw TemplateError(.runtime, "%c requires int or char")
        }
        return Text(scalars: CollectionOfOne(scalar))
    }

    private func integer(_ value: Value, _ conversion: Conversion) throws(TemplateError) -> Text {
        if case .undefined(let undefined) = value { throw undefined.error }
        let type = Character(UnicodeScalar(conversion.type))
        let radix = type == "x" || type == "X" ? 16 : type == "o" ? 8 : 10
        var number = value.index
        if radix == 10, case .double(let double) = value { number = Int(exactly: double.rounded(.towardZero)) }
        guard let number else {
            throw TemplateError(.runtime, "%\(type) format: a number is required, not \(value.typeName)")
        }
        var digits = String(number.magnitude, radix: radix, uppercase: type == "X")
        if let precision = conversion.precision {
            try checkSize(precision)
            digits = String(repeating: "0", count: max(0, precision - digits.utf8.count)) + digits
        }
        let prefix = conversion.has("#") && radix != 10 ? "0\(type)" : ""
        return try padded(number < 0, prefix, digits, conversion)
    }

    private func double(_ value: Value, _ conversion: Conversion) throws(TemplateError) -> Text {
        if case .undefined(let undefined) = value { throw undefined.error }
        guard let number = value.number else {
            throw TemplateError(.runtime, "must be real number, not \(value.typeName)")
        }
        let type = Character(UnicodeScalar(conversion.type))
        let precision = conversion.precision ?? 6
        guard precision <= 100_000 else { throw TemplateError(.runtime, "precision too big") }
        let digits =
            number.isFinite
            ? PythonMath.formatted(number.magnitude, type, precision, keepsPoint: conversion.has("#"))
            : (number.isNaN ? "nan" : "inf")
        return try padded(
            number.sign == .minus && !number.isNaN, "",
            type.isUppercase ? digits.uppercased() : digits, conversion)
    }

    private func padded(_ isNegative: Bool, _ prefix: String, _ digits: String, _ conversion: Conversion)
        throws(TemplateError) -> Text
    {
        let sign = isNegative ? "-" : conversion.has("+") ? "+" : conversion.has(" ") ? " " : ""
        let missing = conversion.width - sign.utf8.count - prefix.utf8.count - digits.utf8.count
        if missing > 0, conversion.has("0"), !conversion.has("-") {
            try checkSize(missing)
            return Text(sign + prefix + String(repeating: "0", count: missing) + digits)
        }
        return try padded(Text(sign + prefix + digits), conversion.width, " ", conversion.has("-") ? .left : .right)
    }
}

extension Text {
    /// The text with every non-ASCII character as an escape, as Python's `ascii()` shows it.
    var asciiEscaped: Text {
        if isASCII { return self }
        var result = ""
        for scalar in scalars {
            if scalar.isASCII {
                result.unicodeScalars.append(scalar)
                continue
            }
            let value = scalar.value
            let (letter, width) = value < 0x100 ? ("x", 2) : value < 0x10000 ? ("u", 4) : ("U", 8)
            let digits = String(value, radix: 16)
            result += "\\\(letter)" + String(repeating: "0", count: width - digits.utf8.count) + digits
        }
        return Text(result)
    }
}
