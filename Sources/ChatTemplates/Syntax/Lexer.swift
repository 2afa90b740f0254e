/// Splits a template's source into tokens, by Jinja's rules with `trim_blocks` and `lstrip_blocks` on. Linear time.
struct Lexer {
    private let bytes: [UInt8]
    private var offset = 0
    private var line = 1
    private var tokens: [Token] = []
    /// The brackets that are open in the present tag, by the bracket that closes each.
    private var brackets: [UInt8] = []
    /// Whether the last match ended a line: then blanks before a block tag start a line too.
    private var isLineStart = true

    static func tokens(of source: String) throws(TemplateError) -> [Token] {
        var lexer = Lexer(source)
        return try lexer.run()
    }

    /// All line ends become `\n`, and a final one is dropped.
    private init(_ source: String) {
        var normalised: [UInt8] = []
        normalised.reserveCapacity(source.utf8.count)
        var previous: UInt8 = 0
        for byte in source.utf8 {
            if byte == 0x0D || byte == 0x0A && previous != 0x0D { normalised.append(0x0A) }
            if byte != 0x0D, byte != 0x0A { normalised.append(byte) }
            previous = byte
        }
        if normalised.last == 0x0A { normalised.removeLast() }
        bytes = normalised
    }

    private mutating func run() throws(TemplateError) -> [Token] {
        while offset < bytes.count { try scanText() }
        add(.end)
        return tokens
    }

    private mutating func add(_ kind: Token.Kind) { tokens.append(Token(kind: kind, line: line)) }

    private func matches(_ text: StaticString, at position: Int) -> Bool {
        position + text.utf8CodeUnitCount <= bytes.count
            && (0..<text.utf8CodeUnitCount).allSatisfy { bytes[position + $0] == text.utf8Start[$0] }
    }

    private func failure(_ message: String) -> TemplateError { TemplateError(.syntax, message, line: line) }

    /// Moves to `end`, counting lines.
    private mutating func advance(to end: Int) {
        for position in offset..<end where bytes[position] == 0x0A { line += 1 }
        if end > offset { isLineStart = bytes[end - 1] == 0x0A }
        offset = end
    }

    // MARK: Text between tags

    private mutating func scanText() throws(TemplateError) {
        var start = offset
        while start < bytes.count {
            if bytes[start] == UInt8(ascii: "{"), start + 1 < bytes.count,
                [UInt8(ascii: "{"), UInt8(ascii: "%"), UInt8(ascii: "#")].contains(bytes[start + 1])
            {
                break
            }
            start += 1
        }
        guard start < bytes.count else {
            add(.text(Text(utf8: bytes[offset..<start])))
            advance(to: start)
            return
        }
        let opening = bytes[start + 1]
        let sign = start + 2 < bytes.count ? bytes[start + 2] : 0
        let hasSign = sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+")
        emitText(upTo: start, sign: sign, isVariable: opening == UInt8(ascii: "{"))
        let inner = start + (hasSign ? 3 : 2)
        if opening == UInt8(ascii: "%"), let end = rawTagEnd(from: inner) {
            advance(to: end)
            return try scanRaw()
        }
        if opening != UInt8(ascii: "#") { add(opening == UInt8(ascii: "{") ? .variableBegin : .blockBegin) }
        advance(to: inner)
        if opening == UInt8(ascii: "#") { return try skipComment() }
        try scanTag(isVariable: opening == UInt8(ascii: "{"))
    }

    /// Emits the text before a tag, without the blanks that the tag's sign or `lstrip_blocks` takes away.
    private mutating func emitText(upTo start: Int, sign: UInt8, isVariable: Bool) {
        var end = start
        if sign == UInt8(ascii: "-") {
            end = Whitespace.start(before: start, in: bytes, lower: offset)
        } else if sign != UInt8(ascii: "+"), !isVariable {
            let lineStart = bytes[offset..<start].lastIndex(of: 0x0A).map { $0 + 1 }
            if let from = lineStart ?? (isLineStart ? offset : nil), from < start,
                Whitespace.end(from: from, in: bytes) >= start
            {
                end = from
            }
        }
        if end > offset { add(.text(Text(utf8: bytes[offset..<end]))) }
        advance(to: start)
    }

    /// The position after `raw %}` when that is what follows `position`.
    private func rawTagEnd(from position: Int) -> Int? {
        let word = Whitespace.end(from: position, in: bytes)
        guard matches("raw", at: word) else { return nil }
        let end = Whitespace.end(from: word + 3, in: bytes)
        if matches("-%}", at: end) { return Whitespace.end(from: end + 3, in: bytes) }
        return matches("%}", at: end) ? end + 2 : nil
    }

    private mutating func scanRaw() throws(TemplateError) {
        var position = offset
        while position < bytes.count {
            if matches("{%", at: position), let end = endRawTagEnd(from: position) {
                emitText(upTo: position, sign: bytes[position + 2], isVariable: false)
                advance(to: end)
                return
            }
            position += 1
        }
        throw failure("Missing end of raw directive")
    }

    private func endRawTagEnd(from start: Int) -> Int? {
        var position = start + 2
        if position < bytes.count, bytes[position] == UInt8(ascii: "-") || bytes[position] == UInt8(ascii: "+") {
            position += 1
        }
        position = Whitespace.end(from: position, in: bytes)
        guard matches("endraw", at: position) else { return nil }
        return blockEnd(at: Whitespace.end(from: position + 6, in: bytes))
    }

    private mutating func skipComment() throws(TemplateError) {
        var position = offset
        while position < bytes.count, !matches("#}", at: position) { position += 1 }
        guard position < bytes.count else { throw failure("Missing end of comment tag") }
        let sign = position > offset ? bytes[position - 1] : 0
        var end = position + 2
        if sign == UInt8(ascii: "-") {
            end = Whitespace.end(from: end, in: bytes)
        } else if sign != UInt8(ascii: "+"), end < bytes.count, bytes[end] == 0x0A {
            end += 1
        }
        advance(to: end)
    }

    // MARK: Inside tags

    /// The position after the end of a block tag at `position`, with the white space that it takes along.
    private func blockEnd(at position: Int) -> Int? {
        if matches("+%}", at: position) { return position + 3 }
        if matches("-%}", at: position) { return Whitespace.end(from: position + 3, in: bytes) }
        guard matches("%}", at: position) else { return nil }
        return position + 2 < bytes.count && bytes[position + 2] == 0x0A ? position + 3 : position + 2
    }

    private func variableEnd(at position: Int) -> Int? {
        if matches("-}}", at: position) { return Whitespace.end(from: position + 3, in: bytes) }
        return matches("}}", at: position) ? position + 2 : nil
    }

    private mutating func scanTag(isVariable: Bool) throws(TemplateError) {
        brackets = []
        while offset < bytes.count {
            let blanks = Whitespace.end(from: offset, in: bytes)
            if brackets.isEmpty, let end = isVariable ? variableEnd(at: offset) : blockEnd(at: offset) {
                add(isVariable ? .variableEnd : .blockEnd)
                return advance(to: end)
            }
            if blanks > offset {
                advance(to: blanks)
            } else {
                try scanToken()
            }
        }
    }

    private mutating func scanToken() throws(TemplateError) {
        let byte = bytes[offset]
        if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") { return try scanString(quote: byte) }
        if byte &- UInt8(ascii: "0") < 10 { return try scanNumber() }
        if byte == UInt8(ascii: "_") || byte | 0x20 &- 0x61 < 26 || byte >= 0x80 || (byte | 0x20) &- 0x61 < 26 {
            return try scanName()
        }
        try scanSymbol()
    }

    private mutating func scanName() throws(TemplateError) {
        var end = offset
        while end < bytes.count, isWord(bytes[end]) { end += 1 }
        let name = String(decoding: bytes[offset..<end], as: UTF8.self)
        for scalar in name.unicodeScalars where !scalar.isASCII {
            let properties = scalar.properties
            guard scalar == name.unicodeScalars.first ? properties.isXIDStart : properties.isXIDContinue else {
                throw failure("Invalid character in identifier")
            }
        }
        add(.name(name))
        advance(to: end)
    }

    private func isWord(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || byte &- UInt8(ascii: "0") < 10 || (byte | 0x20) &- 0x61 < 26 || byte >= 0x80
    }

    private static let symbols: [StaticString] = [
        "**", "//", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=",
        ".", ":", "|", ",", ";",
    ]

    private mutating func scanSymbol() throws(TemplateError) {
        guard let symbol = Lexer.symbols.first(where: { matches($0, at: offset) }) else {
            throw failure("unexpected char '\(Character(UnicodeScalar(bytes[offset])))' at byte \(offset)")
        }
        let byte = bytes[offset]
        switch byte {
        case UInt8(ascii: "("): brackets.append(UInt8(ascii: ")"))
        case UInt8(ascii: "["): brackets.append(UInt8(ascii: "]"))
        case UInt8(ascii: "{"): brackets.append(UInt8(ascii: "}"))
        case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"):
            let found = Character(UnicodeScalar(byte))
            guard let expected = brackets.popLast() else { throw failure("unexpected '\(found)'") }
            guard expected == byte else {
                throw failure("unexpected '\(found)', expected '\(Character(UnicodeScalar(expected)))'")
            }
        default: break
        }
        add(.symbol("\(symbol)"))
        advance(to: offset + symbol.utf8CodeUnitCount)
    }

    // MARK: Literals

    private mutating func scanNumber() throws(TemplateError) {
        var scanner = NumberScanner(bytes: bytes, offset: offset)
        let followsPoint = offset > 0 && bytes[offset - 1] == UInt8(ascii: ".")
        if !followsPoint, let value = scanner.double() {
            add(.double(value))
        } else {
            guard let value = scanner.integer() else {
                throw failure("this integer does not fit 64 bits, the largest that is supported")
            }
            add(.integer(value))
        }
        advance(to: scanner.offset)
    }

    private mutating func scanString(quote: UInt8) throws(TemplateError) {
        var end = offset + 1
        while end < bytes.count, bytes[end] != quote { end += bytes[end] == UInt8(ascii: "\\") ? 2 : 1 }
        guard end < bytes.count else {
            throw failure("unexpected char '\(Character(UnicodeScalar(quote)))' at byte \(offset)")
        }
        let text: Text
        do {
            text = try StringLiteral.decode(bytes[(offset + 1)..<end])
        } catch {
            throw failure(error.message)
        }
        add(.string(text))
        advance(to: end + 1)
    }
}
