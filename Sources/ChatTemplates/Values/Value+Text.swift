extension Interpreter {
    /// Python's `str(value)`.
    func text(of value: Value) throws(TemplateError) -> Text {
        switch value {
        case .string(let text): return text
        case .undefined: return .empty
        default:
            var buffer: [UInt8] = []
            try appendRepr(value, to: &buffer)
            try charge(bytes: buffer.count)
            return Text(utf8: buffer)
        }
    }

    /// Python's `repr(value)`.
    func repr(of value: Value) throws(TemplateError) -> Text {
        var buffer: [UInt8] = []
        try appendRepr(value, to: &buffer)
        try charge(bytes: buffer.count)
        return Text(utf8: buffer)
    }

    /// Appends Python's `repr(value)`. Objects that Python shows with an address are shown without one.
    func appendRepr(_ value: Value, to buffer: inout [UInt8]) throws(TemplateError) {
        try step()
        try checkSize(buffer.count)
        switch value {
        case .undefined: buffer.append(contentsOf: "Undefined".utf8)
        case .none: buffer.append(contentsOf: "None".utf8)
        case .bool(let value): buffer.append(contentsOf: (value ? "True" : "False").utf8)
        case .int(let value): buffer.append(contentsOf: String(value).utf8)
        case .double(let value): buffer.append(contentsOf: PythonFloat.repr(value).utf8)
        case .string(let text):
            try step(text.bytes.count / 32)
            text.appendRepr(to: &buffer)
        case .list(let elements): try append(elements.values, between: "[", "]", to: &buffer)
        case .tuple(let elements):
            try append(elements.values, between: "(", elements.values.count == 1 ? ",)" : ")", to: &buffer)
        case .dict(let mapping): try append(mapping.table, to: &buffer)
        case .range(let range):
            let step = range.step == 1 ? "" : ", \(range.step)"
            buffer.append(contentsOf: "range(\(range.start), \(range.stop)\(step))".utf8)
        case .view(let view):
            buffer.append(contentsOf: "dict_\(view.kind.rawValue)(".utf8)
            try append(view.values, between: "[", "]", to: &buffer)
            buffer.append(UInt8(ascii: ")"))
        case .namespace(let namespace): try append(namespace, to: &buffer)
        default: buffer.append(contentsOf: opaqueName(of: value).utf8)
        }
    }

    private func append(_ values: [Value], between open: String, _ close: String, to buffer: inout [UInt8])
        throws(TemplateError)
    {
        try enter()
        buffer.append(contentsOf: open.utf8)
        for position in values.indices {
            if position > 0 { buffer.append(contentsOf: ", ".utf8) }
            try appendRepr(values[position], to: &buffer)
        }
        buffer.append(contentsOf: close.utf8)
        leave()
    }

    private func append(_ table: MappingTable, to buffer: inout [UInt8]) throws(TemplateError) {
        try enter()
        buffer.append(UInt8(ascii: "{"))
        for position in table.keys.indices {
            if position > 0 { buffer.append(contentsOf: ", ".utf8) }
            try appendRepr(table.keys[position], to: &buffer)
            buffer.append(contentsOf: ": ".utf8)
            try appendRepr(table.values[position], to: &buffer)
        }
        buffer.append(UInt8(ascii: "}"))
        leave()
    }

    /// A namespace can contain itself; Python then shows the inner one as `{...}`.
    private func append(_ namespace: Namespace, to buffer: inout [UInt8]) throws(TemplateError) {
        buffer.append(contentsOf: "<Namespace ".utf8)
        if shownNamespaces.contains(where: { $0 === namespace }) {
            buffer.append(contentsOf: "{...}".utf8)
        } else {
            shownNamespaces.append(namespace)
            try append(namespace.attributes, to: &buffer)
            shownNamespaces.removeLast()
        }
        buffer.append(UInt8(ascii: ">"))
    }

    private func opaqueName(of value: Value) -> String {
        switch value {
        case .macro(let macro): macro.node.name.map { "<Macro '\($0)'>" } ?? "<Macro anonymous>"
        case .loop(let loop): "<LoopContext \(loop.index0 + 1)>"
        case .iterator(let iterator): "<generator object \(iterator.name)>"
        case .method(let method): "<built-in method \(method.name) of \(method.receiver.typeName) object>"
        case .function(let function): "<function \(function.rawValue)>"
        default: "<\(value.typeName) object>"
        }
    }
}

extension Text {
    /// Appends the literal that Python would write for this string.
    func appendRepr(to buffer: inout [UInt8]) {
        let hasSingle = bytes.contains(UInt8(ascii: "'"))
        let quote = hasSingle && !bytes.contains(UInt8(ascii: "\"")) ? UInt8(ascii: "\"") : UInt8(ascii: "'")
        buffer.append(quote)
        if isASCII {
            for byte in bytes { Text.appendEscaped(byte, quote: quote, to: &buffer) }
        } else {
            for scalar in scalars {
                if scalar.isASCII {
                    Text.appendEscaped(UInt8(scalar.value), quote: quote, to: &buffer)
                } else if scalar.isPythonPrintable {
                    buffer.append(scalar)
                } else {
                    Text.appendNumeric(scalar.value, to: &buffer)
                }
            }
        }
        buffer.append(quote)
    }

    private static func appendEscaped(_ byte: UInt8, quote: UInt8, to buffer: inout [UInt8]) {
        switch byte {
        case quote, UInt8(ascii: "\\"): buffer.append(contentsOf: [UInt8(ascii: "\\"), byte])
        case 0x09: buffer.append(contentsOf: "\\t".utf8)
        case 0x0A: buffer.append(contentsOf: "\\n".utf8)
        case 0x0D: buffer.append(contentsOf: "\\r".utf8)
        case 0..<0x20, 0x7F: appendNumeric(UInt32(byte), to: &buffer)
        default: buffer.append(byte)
        }
    }

    private static func appendNumeric(_ value: UInt32, to buffer: inout [UInt8]) {
        let (letter, width) = value < 0x100 ? ("x", 2) : value < 0x10000 ? ("u", 4) : ("U", 8)
        let digits = String(value, radix: 16)
        buffer.append(
            contentsOf: "\\\(letter)\(String(repeating: "0", count: width - digits.utf8.count))\(digits)".utf8)
    }
}

extension Unicode.Scalar {
    /// Python's `str.isprintable` for one character.
    var isPythonPrintable: Bool {
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        case .spaceSeparator: value == 0x20
        default: true
        }
    }
}
