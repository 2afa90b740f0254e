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

    /// Appends `text` in quotes, with the escapes that JSON requires. O(bytes).
    public static func append(_ text: String, to buffer: inout [UInt8]) {
        var text = text
        text.withUTF8 { bytes in
            buffer.append(UInt8(ascii: "\""))
            var start = 0
            for (position, byte) in bytes.enumerated()
            where byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                buffer.append(contentsOf: bytes[start..<position])
                append(escapeOf: byte, to: &buffer)
                start = position + 1
            }
            buffer.append(contentsOf: bytes[start...])
            buffer.append(UInt8(ascii: "\""))
        }
    }

    private static func append(escapeOf byte: UInt8, to buffer: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\""): append(raw: "\\\"", to: &buffer)
        case UInt8(ascii: "\\"): append(raw: "\\\\", to: &buffer)
        case 0x08: append(raw: "\\b", to: &buffer)
        case 0x0C: append(raw: "\\f", to: &buffer)
        case 0x0A: append(raw: "\\n", to: &buffer)
        case 0x0D: append(raw: "\\r", to: &buffer)
        case 0x09: append(raw: "\\t", to: &buffer)
        default:
            append(raw: "\\u00", to: &buffer)
            append(raw: byte < 0x10 ? "0" : "1", to: &buffer)
            let digit = byte & 15
            buffer.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
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
}
