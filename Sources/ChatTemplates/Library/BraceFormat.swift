/// Where a `str.format` call takes its fields from, and how it numbers those without a name.
private struct FormatFields {
    let arguments: CallArguments
    var next = 0
    var isManual = false

    mutating func value(named name: Text) throws(TemplateError) -> Value {
        var index: Int?
        if name.isEmpty {
            guard !isManual else {
                throw TemplateError(
                    .runtime, "cannot switch from manual field specification to automatic field numbering")
            }
            index = next
            next += 1
        } else if name.bytes.allSatisfy({ $0 &- 0x30 < 10 }) {
            guard next == 0 else {
                throw TemplateError(
                    .runtime, "cannot switch from automatic field numbering to manual field specification")
            }
            isManual = true
            index = Int(name.string) ?? .max
        }
        if let index {
            guard index < arguments.positional.count else {
                throw TemplateError(
                    .runtime, "Replacement index \(index) out of range for positional args tuple")
            }
            return arguments.positional[index]
        }
        guard let found = arguments.keywords.first(where: { Text($0.name) == name }) else {
            throw TemplateError(.runtime, "format: no argument named '\(name.string)'")
        }
        return found.value
    }
}

extension Interpreter {
    /// Python's `text.format(…)`.
    func format(_ text: Text, _ arguments: CallArguments) throws(TemplateError) -> Value {
        var fields = FormatFields(arguments: arguments)
        return try string(try format(text.bytes[...], &fields, depth: 2))
    }

    private func format(_ source: ArraySlice<UInt8>, _ fields: inout FormatFields, depth: Int) throws(TemplateError)
        -> Text
    {
        guard depth >= 0 else { throw TemplateError(.runtime, "Max string recursion exceeded") }
        var result: [UInt8] = []
        var position = source.startIndex
        while position < source.endIndex {
            let byte = source[position]
            position += 1
            guard byte == UInt8(ascii: "{") || byte == UInt8(ascii: "}") else {
                result.append(byte)
                continue
            }
            if position < source.endIndex, source[position] == byte {
                result.append(byte)
                position += 1
                continue
            }
            guard byte == UInt8(ascii: "{") else {
                throw TemplateError(.runtime, "Single '}' encountered in format string")
            }
            let end = try fieldEnd(source, position)
            result.append(contentsOf: try formatted(source[position..<end], &fields, depth: depth).bytes)
            try checkSize(result.count)
            position = end + 1
        }
        return Text(utf8: result)
    }

    private func fieldEnd(_ source: ArraySlice<UInt8>, _ start: Int) throws(TemplateError) -> Int {
        guard start < source.endIndex else {
            throw TemplateError(.runtime, "Single '{' encountered in format string")
        }
        var depth = 1
        var brackets = false
        for position in start..<source.endIndex {
            switch source[position] {
            case UInt8(ascii: "["): brackets = depth == 1
            case UInt8(ascii: "]"): brackets = false
            case UInt8(ascii: "{") where !brackets: depth += 1
            case UInt8(ascii: "}") where !brackets:
                depth -= 1
                if depth == 0 { return position }
            default: break
            }
        }
        throw TemplateError(.runtime, "expected '}' before end of string")
    }

    private func formatted(_ field: ArraySlice<UInt8>, _ fields: inout FormatFields, depth: Int) throws(TemplateError)
        -> Text
    {
        try step()
        var name = field
        var conversion: UInt8?
        var specification = field[field.endIndex...]
        var isBracketed = false
        for position in field.indices {
            let byte = field[position]
            if byte == UInt8(ascii: "[") { isBracketed = true }
            if byte == UInt8(ascii: "]") { isBracketed = false }
            guard !isBracketed, byte == UInt8(ascii: "!") || byte == UInt8(ascii: ":") else { continue }
            name = field[..<position]
            var rest = field[(position + 1)...]
            if byte == UInt8(ascii: "!") {
                guard let type = rest.popFirst() else {
                    throw TemplateError(.runtime, "end of string while looking for conversion specifier")
                }
                conversion = type
                guard rest.isEmpty || rest.first == UInt8(ascii: ":") else {
                    throw TemplateError(.runtime, "expected ':' after conversion specifier")
                }
                rest = rest.dropFirst()
            }
            specification = rest
            break
        }
        let value = try converted(try lookUp(name, &fields), conversion)
        return try apply(format: try format(specification, &fields, depth: depth - 1), to: value)
    }

    private func converted(_ value: Value, _ conversion: UInt8?) throws(TemplateError) -> Value {
        switch conversion {
        case nil: value
        case UInt8(ascii: "s"): .string(try text(of: value))
        case UInt8(ascii: "r"): .string(try repr(of: value))
        case UInt8(ascii: "a"): .string(try repr(of: value).asciiEscaped)
        case .some(let other):
            throw TemplateError(.runtime, "Unknown conversion specifier '\(Character(UnicodeScalar(other)))'")
        }
    }

    /// A field's value: a name or number, followed by `.attribute` and `[item]`.
    private func lookUp(_ field: ArraySlice<UInt8>, _ fields: inout FormatFields) throws(TemplateError) -> Value {
        let end = field.firstIndex { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "[") } ?? field.endIndex
        var value = try fields.value(named: Text(utf8: field[..<end]))
        var rest = field[end...]
        while let separator = rest.popFirst() {
            if separator == UInt8(ascii: ".") {
                let end = rest.firstIndex { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "[") } ?? rest.endIndex
                guard end > rest.startIndex else { throw TemplateError(.runtime, "Empty attribute in format string") }
                value = try attribute(Text(utf8: rest[..<end]), of: value)
                rest = rest[end...]
            } else {
                guard separator == UInt8(ascii: "[") else {
                    throw TemplateError(.runtime, "Only '.' or '[' may follow ']' in format field specifier")
                }
                guard let end = rest.firstIndex(of: UInt8(ascii: "]")) else {
                    throw TemplateError(.runtime, "Missing ']' in format string")
                }
                guard end > rest.startIndex else { throw TemplateError(.runtime, "Empty attribute in format string") }
                let key = Text(utf8: rest[..<end])
                let index = key.bytes.allSatisfy { $0 &- 0x30 < 10 } ? Int(key.string) : nil
                value = try item(index.map { .int($0) } ?? .string(key), of: value)
                rest = rest[(end + 1)...]
            }
        }
        return value
    }
}
