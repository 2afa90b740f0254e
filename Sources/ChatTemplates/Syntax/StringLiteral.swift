/// Decodes the escapes of a string literal as Jinja does, by way of Python's `unicode-escape`.
enum StringLiteral {
    /// `source` is the literal without its quotes. Errors: `syntax` for escapes that Python refuses.
    static func decode(_ source: ArraySlice<UInt8>) throws(TemplateError) -> Text {
        guard source.contains(UInt8(ascii: "\\")) else { return Text(utf8: source) }
        var result: [UInt8] = []
        var position = source.startIndex
        while position < source.endIndex {
            let byte = source[position]
            position += 1
            if byte == UInt8(ascii: "\\"), position < source.endIndex {
                try appendEscape(source, &position, to: &result)
            } else {
                result.append(byte)
            }
        }
        return Text(utf8: result)
    }

    private static func appendEscape(_ source: ArraySlice<UInt8>, _ position: inout Int, to result: inout [UInt8])
        throws(TemplateError)
    {
        let byte = source[position]
        position += 1
        switch byte {
        case 0x0A: break
        case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""): result.append(byte)
        case UInt8(ascii: "a"): result.append(0x07)
        case UInt8(ascii: "b"): result.append(0x08)
        case UInt8(ascii: "f"): result.append(0x0C)
        case UInt8(ascii: "n"): result.append(0x0A)
        case UInt8(ascii: "r"): result.append(0x0D)
        case UInt8(ascii: "t"): result.append(0x09)
        case UInt8(ascii: "v"): result.append(0x0B)
        case UInt8(ascii: "x"): try appendHex(source, &position, digits: 2, letter: "x", to: &result)
        case UInt8(ascii: "u"): try appendHex(source, &position, digits: 4, letter: "u", to: &result)
        case UInt8(ascii: "U"): try appendHex(source, &position, digits: 8, letter: "U", to: &result)
        case UInt8(ascii: "N"): throw TemplateError(.unsupported, "the escape \\N{…} is not supported")
        case UInt8(ascii: "0")...UInt8(ascii: "7"):
            var value = UInt32(byte - UInt8(ascii: "0"))
            for _ in 0..<2 where position < source.endIndex && source[position] &- UInt8(ascii: "0") < 8 {
                value = value * 8 + UInt32(source[position] - UInt8(ascii: "0"))
                position += 1
            }
            try append(value, to: &result)
        case 0x80...: appendSpelledOut(source, &position, to: &result)
        default: result.append(contentsOf: [UInt8(ascii: "\\"), byte])
        }
    }

    private static func appendHex(
        _ source: ArraySlice<UInt8>, _ position: inout Int, digits: Int, letter: String, to result: inout [UInt8]
    ) throws(TemplateError) {
        let end = position + digits
        guard end <= source.endIndex,
            let value = UInt32(String(decoding: source[position..<end], as: UTF8.self), radix: 16),
            source[position] != UInt8(ascii: "+")
        else { throw TemplateError(.syntax, "truncated \\\(letter) escape: \(digits) hexadecimal digits expected") }
        position = end
        try append(value, to: &result)
    }

    private static func append(_ value: UInt32, to result: inout [UInt8]) throws(TemplateError) {
        guard let scalar = Unicode.Scalar(value) else {
            throw TemplateError(.syntax, "the escape of U+\(String(value, radix: 16)) is not a character")
        }
        result.append(scalar)
    }

    /// Jinja spells a non-ASCII character as an escape before it decodes escapes, so one that follows a backslash shows.
    private static func appendSpelledOut(
        _ source: ArraySlice<UInt8>, _ position: inout Int, to result: inout [UInt8]
    ) {
        let start = position - 1
        while position < source.endIndex, source[position] & 0xC0 == 0x80 { position += 1 }
        let value = String(decoding: source[start..<position], as: UTF8.self).unicodeScalars.first?.value ?? 0
        let (letter, width) = value < 0x100 ? ("x", 2) : value < 0x10000 ? ("u", 4) : ("U", 8)
        let digits = String(value, radix: 16)
        let zeros = String(repeating: "0", count: width - digits.utf8.count)
        result.append(contentsOf: "\\\(letter)\(zeros)\(digits)".utf8)
    }
}
