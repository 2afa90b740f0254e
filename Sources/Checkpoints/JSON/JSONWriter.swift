extension JSONValue {
    /// The value as compact JSON text: no blanks, keys in order, non-ASCII characters as they are.
    public var compactText: String {
        var bytes: [UInt8] = []
        JSONWriter.append(self, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Appends JSON to a byte buffer; the encoder of server events and of the command line's output.
public enum JSONWriter {
    public static func append(_ value: JSONValue, to buffer: inout [UInt8]) {
        switch value {
        case .null: append(raw: "null", to: &buffer)
        case .bool(let value): append(raw: value ? "true" : "false", to: &buffer)
        case .int(let value): append(raw: String(value), to: &buffer)
        case .double(let value): append(value, to: &buffer)
        case .string(let value): append(value, to: &buffer)
        case .array(let values): append(values, to: &buffer)
        case .object(let object): append(object, to: &buffer)
        }
    }

    /// Appends `text` in quotes, with the escapes that JSON requires.
    public static func append(_ text: String, to buffer: inout [UInt8]) {
        buffer.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): append(raw: "\\\"", to: &buffer)
            case UInt8(ascii: "\\"): append(raw: "\\\\", to: &buffer)
            case 0x08: append(raw: "\\b", to: &buffer)
            case 0x0C: append(raw: "\\f", to: &buffer)
            case 0x0A: append(raw: "\\n", to: &buffer)
            case 0x0D: append(raw: "\\r", to: &buffer)
            case 0x09: append(raw: "\\t", to: &buffer)
            case 0..<0x20: append(control: byte, to: &buffer)
            default: buffer.append(byte)
            }
        }
        buffer.append(UInt8(ascii: "\""))
    }

    /// Appends the shortest text that reads back as the same number; infinities and NaN, which JSON lacks, as null.
    public static func append(_ number: Double, to buffer: inout [UInt8]) {
        append(raw: number.isFinite ? "\(number)" : "null", to: &buffer)
    }

    public static func append(raw text: String, to buffer: inout [UInt8]) {
        buffer.append(contentsOf: text.utf8)
    }

    private static func append(_ values: [JSONValue], to buffer: inout [UInt8]) {
        buffer.append(UInt8(ascii: "["))
        for (position, value) in values.enumerated() {
            if position > 0 { buffer.append(UInt8(ascii: ",")) }
            append(value, to: &buffer)
        }
        buffer.append(UInt8(ascii: "]"))
    }

    private static func append(_ object: JSONObject, to buffer: inout [UInt8]) {
        buffer.append(UInt8(ascii: "{"))
        for (position, member) in object.enumerated() {
            if position > 0 { buffer.append(UInt8(ascii: ",")) }
            append(member.key, to: &buffer)
            buffer.append(UInt8(ascii: ":"))
            append(member.value, to: &buffer)
        }
        buffer.append(UInt8(ascii: "}"))
    }

    private static func append(control byte: UInt8, to buffer: inout [UInt8]) {
        let digits = Array("0123456789abcdef".utf8)
        append(raw: "\\u00", to: &buffer)
        buffer.append(digits[Int(byte >> 4)])
        buffer.append(digits[Int(byte & 15)])
    }
}
