/// The `tojson` filter of chat templates: Python's `json.dumps`.
struct JSONText {
    var ensuresASCII = false
    /// nil for one line.
    var indent: Text?
    var itemSeparator: Text = ", "
    var keySeparator: Text = ": "
    var sortsKeys = false

    func encode(_ value: Value, _ interpreter: Interpreter) throws(TemplateError) -> Text {
        var buffer: [UInt8] = []
        try append(value, level: 0, to: &buffer, interpreter)
        try interpreter.charge(bytes: buffer.count)
        return Text(utf8: buffer)
    }

    private func append(_ value: Value, level: Int, to buffer: inout [UInt8], _ interpreter: Interpreter)
        throws(TemplateError)
    {
        try interpreter.step()
        try interpreter.checkSize(buffer.count)
        switch value {
        case .none: buffer.append(contentsOf: "null".utf8)
        case .bool(let value): buffer.append(contentsOf: (value ? "true" : "false").utf8)
        case .int(let value): buffer.append(contentsOf: String(value).utf8)
        case .double(let value): buffer.append(contentsOf: JSONText.number(value).utf8)
        case .string(let text):
            try interpreter.step(text.bytes.count / 32)
            append(text, to: &buffer)
        case .list(let elements), .tuple(let elements):
            try append(elements.values.count, "[", "]", level: level, to: &buffer, interpreter) {
                position, buffer throws(TemplateError) in
                try append(elements.values[position], level: level + 1, to: &buffer, interpreter)
            }
        case .dict(let mapping): try append(mapping.table, level: level, to: &buffer, interpreter)
        default:
            throw TemplateError(.runtime, "Object of type \(value.typeName) is not JSON serializable")
        }
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
        return PythonFloat.repr(value)
    }

    private func append(_ table: MappingTable, level: Int, to buffer: inout [UInt8], _ interpreter: Interpreter)
        throws(TemplateError)
    {
        var order = Array(table.keys.indices)
        if sortsKeys {
            try interpreter.sort(&order, reverse: false) { table.keys[$0] }
        }
        try append(order.count, "{", "}", level: level, to: &buffer, interpreter) {
            position, buffer throws(TemplateError) in
            let key = try JSONText.key(table.keys[order[position]])
            append(key, to: &buffer)
            buffer.append(contentsOf: keySeparator.bytes)
            try append(table.values[order[position]], level: level + 1, to: &buffer, interpreter)
        }
    }

    private static func key(_ value: Value) throws(TemplateError) -> Text {
        switch value {
        case .string(let text): text
        case .none: "null"
        case .bool(let value): value ? "true" : "false"
        case .int(let value): Text(String(value))
        case .double(let value): Text(number(value))
        default:
            throw TemplateError(
                .runtime, "keys must be str, int, float, bool or None, not \(value.typeName)")
        }
    }

    private func append(
        _ count: Int, _ open: String, _ close: String, level: Int, to buffer: inout [UInt8],
        _ interpreter: Interpreter, _ member: (Int, inout [UInt8]) throws(TemplateError) -> Void
    ) throws(TemplateError) {
        try interpreter.enter()
        buffer.append(contentsOf: open.utf8)
        for position in 0..<count {
            if position > 0 { buffer.append(contentsOf: itemSeparator.bytes) }
            try newLine(level + 1, to: &buffer, interpreter)
            try member(position, &buffer)
        }
        if count > 0 { try newLine(level, to: &buffer, interpreter) }
        buffer.append(contentsOf: close.utf8)
        interpreter.leave()
    }

    private func newLine(_ level: Int, to buffer: inout [UInt8], _ interpreter: Interpreter) throws(TemplateError) {
        guard let indent else { return }
        try interpreter.checkSize(buffer.count + indent.bytes.count * level)
        try interpreter.step(1 + indent.bytes.count * level / 32)
        buffer.append(0x0A)
        for _ in 0..<level { buffer.append(contentsOf: indent.bytes) }
    }

    private func append(_ text: Text, to buffer: inout [UInt8]) {
        buffer.append(UInt8(ascii: "\""))
        if text.isASCII || !ensuresASCII {
            for byte in text.bytes { append(byte, to: &buffer) }
        } else {
            for scalar in text.scalars {
                if scalar.isASCII {
                    append(UInt8(scalar.value), to: &buffer)
                } else {
                    for unit in UTF16.encode(scalar).map(Array.init) ?? [] { JSONText.escape(unit, to: &buffer) }
                }
            }
        }
        buffer.append(UInt8(ascii: "\""))
    }

    private func append(_ byte: UInt8, to buffer: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): buffer.append(contentsOf: [UInt8(ascii: "\\"), byte])
        case 0x0A: buffer.append(contentsOf: "\\n".utf8)
        case 0x0D: buffer.append(contentsOf: "\\r".utf8)
        case 0x09: buffer.append(contentsOf: "\\t".utf8)
        case 0x0C: buffer.append(contentsOf: "\\f".utf8)
        case 0x08: buffer.append(contentsOf: "\\b".utf8)
        case 0..<0x20: JSONText.escape(UInt16(byte), to: &buffer)
        case 0x7F where ensuresASCII: buffer.append(byte)
        default: buffer.append(byte)
        }
    }

    private static func escape(_ unit: UInt16, to buffer: inout [UInt8]) {
        let digits = String(unit, radix: 16)
        buffer.append(contentsOf: "\\u\(String(repeating: "0", count: 4 - digits.utf8.count))\(digits)".utf8)
    }
}
