/// Python's format specification: `[[fill]align][sign][#][0][width][grouping][.precision][type]`.
private struct FormatSpecification {
    var fill: Text = " "
    var alignment: UInt8?
    var sign = UInt8(ascii: "-")
    var isAlternate = false
    var width = 0
    var grouping: UInt8?
    var precision: Int?
    var type: UInt8?

    init(_ text: Text) throws(TemplateError) {
        let scalars = Array(text.scalars)
        var position = 0
        func byte(_ index: Int) -> UInt8? { index < scalars.count ? UInt8(exactly: scalars[index].value) : nil }
        func isAlignment(_ index: Int) -> Bool { byte(index).map { "<>=^".utf8.contains($0) } ?? false }
        if isAlignment(1) {
            fill = Text(scalars: CollectionOfOne(scalars[0]))
            alignment = byte(1)
            position = 2
        } else if isAlignment(0) {
            alignment = byte(0)
            position = 1
        }
        if let next = byte(position), "+- ".utf8.contains(next) {
            sign = next
            position += 1
        }
        if byte(position) == UInt8(ascii: "#") {
            isAlternate = true
            position += 1
        }
        if byte(position) == UInt8(ascii: "0") {
            if alignment == nil {
                fill = "0"
                alignment = UInt8(ascii: "=")
            } else if position < 2 {
                fill = "0"
            }
            position += 1
        }
        func number() throws(TemplateError) -> Int? {
            var value: Int?
            while let digit = byte(position), digit &- 0x30 < 10 {
                value = (value ?? 0) * 10 + Int(digit - 0x30)
                guard value ?? 0 < 1 << 40 else {
                    throw TemplateError(.runtime, "Too many decimal digits in format string")
                }
                position += 1
            }
            return value
        }
        width = try number() ?? 0
        if let next = byte(position), next == UInt8(ascii: ",") || next == UInt8(ascii: "_") {
            grouping = next
            position += 1
        }
        if byte(position) == UInt8(ascii: ".") {
            position += 1
            precision = try number()
            guard precision != nil else { throw TemplateError(.runtime, "Format specifier missing precision") }
        }
        if position < scalars.count {
            type = byte(position)
            position += 1
        }
        guard position == scalars.count else {
            throw TemplateError(.runtime, "Invalid format specifier '\(text.string)'")
        }
    }
}

extension Interpreter {
    /// Python's `format(value, specification)`.
    func apply(format text: Text, to value: Value) throws(TemplateError) -> Text {
        if text.isEmpty { return try self.text(of: value) }
        let specification = try FormatSpecification(text)
        switch value {
        case .string(let text): return try format(text, specification)
        case .int, .bool: return try format(integer: value.index ?? 0, specification)
        case .double(let number): return try format(number, specification)
        default:
            throw TemplateError(.runtime, "unsupported format string passed to \(value.typeName).__format__")
        }
    }

    private func unknown(_ specification: FormatSpecification, _ type: String) -> TemplateError {
        let code = specification.type.map { String(UnicodeScalar($0)) } ?? ""
        return TemplateError(.runtime, "Unknown format code '\(code)' for object of type '\(type)'")
    }

    private func format(_ text: Text, _ specification: FormatSpecification) throws(TemplateError) -> Text {
        guard specification.type == nil || specification.type == UInt8(ascii: "s") else {
            throw unknown(specification, "str")
        }
        guard specification.sign == UInt8(ascii: "-"), !specification.isAlternate, specification.grouping == nil,
            specification.alignment != UInt8(ascii: "=") || specification.fill == "0"
        else { throw TemplateError(.runtime, "this format specifier is not allowed for strings") }
        let kept = specification.precision.map { text.slice(0, min($0, text.count)) } ?? text
        let alignment: Alignment =
            specification.alignment == UInt8(ascii: ">")
            ? .right : specification.alignment == UInt8(ascii: "^") ? .center : .left
        return try align(kept, specification, alignment)
    }

    /// Pads; for centring, the extra character goes to the right.
    private func align(_ text: Text, _ specification: FormatSpecification, _ alignment: Alignment) throws(TemplateError)
        -> Text
    {
        let missing = specification.width - text.count
        guard alignment == .center, missing > 0 else {
            return try padded(text, specification.width, specification.fill, alignment)
        }
        let left = try padded(text, text.count + missing / 2, specification.fill, .right)
        return try padded(left, specification.width, specification.fill, .left)
    }

    private func format(integer: Int, _ specification: FormatSpecification) throws(TemplateError) -> Text {
        let type = specification.type.map { Character(UnicodeScalar($0)) } ?? "d"
        switch type {
        case "e", "E", "f", "F", "g", "G", "%": return try format(Double(integer), specification)
        case "c":
            guard let scalar = UInt32(exactly: integer).flatMap(Unicode.Scalar.init) else {
                throw TemplateError(.runtime, "%c arg not in range(0x110000)")
            }
            return try align(Text(scalars: CollectionOfOne(scalar)), specification, .left)
        case "d", "n", "b", "o", "x", "X": break
        default: throw unknown(specification, "int")
        }
        guard specification.precision == nil else {
            throw TemplateError(.runtime, "Precision not allowed in integer format specifier")
        }
        let radix = type == "b" ? 2 : type == "o" ? 8 : type == "x" || type == "X" ? 16 : 10
        let digits = String(integer.magnitude, radix: radix, uppercase: type == "X")
        let prefix = specification.isAlternate && radix != 10 ? "0\(type)" : ""
        return try number(
            integer < 0, prefix, digits, "", specification, group: radix == 10 ? 3 : 4)
    }

    private func format(_ value: Double, _ specification: FormatSpecification) throws(TemplateError) -> Text {
        let type = specification.type.map { Character(UnicodeScalar($0)) }
        guard type.map({ "eEfFgGn%".contains($0) }) ?? true else { throw unknown(specification, "float") }
        guard specification.precision ?? 0 <= 100_000 else { throw TemplateError(.runtime, "precision too big") }
        var text: String
        if !value.isFinite {
            text = value.isNaN ? "nan" : "inf"
        } else if let type {
            let conversion: Character = type == "%" ? "f" : type == "n" ? "g" : type
            text = PythonMath.formatted(
                (type == "%" ? value * 100 : value).magnitude, conversion, specification.precision ?? 6,
                keepsPoint: specification.isAlternate)
        } else if let precision = specification.precision {
            text = PythonMath.formatted(value.magnitude, "g", max(precision, 1))
            if let exponent = Int(text.split(separator: "e").dropFirst().first ?? "0"), exponent == 0,
                !text.contains("."), text.utf8.count < max(precision, 1) || precision == 0
            {
                text += ".0"
            }
        } else {
            text = PythonFloat.repr(value.magnitude)
        }
        if let type, type.isUppercase { text = text.uppercased() }
        let digits = text.prefix { $0.isNumber }
        return try number(
            value.sign == .minus && !value.isNaN, "", String(digits),
            String(text.dropFirst(digits.count)) + (type == "%" ? "%" : ""), specification, group: 3)
    }

    /// Puts sign, prefix, grouped digits and the rest together, and pads.
    private func number(
        _ isNegative: Bool, _ prefix: String, _ digits: String, _ rest: String, _ specification: FormatSpecification,
        group: Int
    ) throws(TemplateError) -> Text {
        let sign =
            isNegative ? "-" : specification.sign == UInt8(ascii: "-") ? "" : String(UnicodeScalar(specification.sign))
        let isZeroPadded = specification.alignment == UInt8(ascii: "=")
        var body = digits
        if isZeroPadded, specification.fill == "0", specification.grouping != nil {
            let room = specification.width - sign.utf8.count - prefix.utf8.count - rest.utf8.count
            try checkSize(max(room, 0))
            while grouped(body, specification, group).utf8.count < room { body = "0" + body }
        }
        body = grouped(body, specification, group)
        let head = Text(sign + prefix)
        let tail = Text(body + rest)
        if isZeroPadded {
            return head + (try padded(tail, specification.width - head.count, specification.fill, .right))
        }
        let alignment: Alignment =
            specification.alignment == UInt8(ascii: "<")
            ? .left : specification.alignment == UInt8(ascii: "^") ? .center : .right
        return try align(head + tail, specification, alignment)
    }

    private func grouped(_ digits: String, _ specification: FormatSpecification, _ size: Int) -> String {
        guard let separator = specification.grouping else { return digits }
        var result: [UInt8] = []
        for (position, byte) in digits.utf8.reversed().enumerated() {
            if position > 0, position % size == 0 { result.append(separator) }
            result.append(byte)
        }
        return String(decoding: result.reversed(), as: UTF8.self)
    }
}
