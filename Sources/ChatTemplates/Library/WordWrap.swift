extension Filters {
    /// Python's `textwrap.wrap`, line by line.
    static let wordwrap: Filter = { interpreter, value, arguments throws(TemplateError) in
        let bound = try arguments.bind(
            "wordwrap", ["width", "break_long_words", "wrapstring", "break_on_hyphens"])
        let width = try (bound[0] ?? .int(79)).integer("wordwrap()")
        guard width > 0 else { throw TemplateError(.runtime, "invalid width \(width) (must be > 0)") }
        let breaksWords = bound[1]?.isTrue ?? true
        let separator = bound[2].isNone ? Text("\n") : try (bound[2] ?? .none).text("wordwrap()")
        let breaksHyphens = bound[3]?.isTrue ?? true
        guard case .string(let text) = value else {
            throw TemplateError(.runtime, "wordwrap() needs a string, not '\(value.typeName)'")
        }
        try interpreter.charge(elements: text.bytes.count)
        var lines: [[UInt8]] = []
        for line in text.lines(keepEnds: false) {
            var wrap = WordWrap(width: width, breaksWords: breaksWords, breaksHyphens: breaksHyphens)
            lines.append(
                Array(
                    wrap.lines(of: Array(line.scalars)).map { Text(scalars: $0).bytes }.joined(
                        separator: separator.bytes)))
        }
        return try interpreter.string(Text(utf8: Array(lines.joined(separator: separator.bytes))))
    }
}

/// Breaks one paragraph into lines of at most `width` characters, as Python's `textwrap` does.
private struct WordWrap {
    let width: Int
    let breaksWords: Bool
    let breaksHyphens: Bool

    mutating func lines(of text: [Unicode.Scalar]) -> [[Unicode.Scalar]] {
        var chunks = Array(chunks(of: text).reversed())
        var result: [[Unicode.Scalar]] = []
        while !chunks.isEmpty {
            var line: [[Unicode.Scalar]] = []
            var length = 0
            if let last = chunks.last, isBlank(last), !result.isEmpty { chunks.removeLast() }
            while let chunk = chunks.last, length + chunk.count <= width {
                length += chunk.count
                line.append(chunk)
                chunks.removeLast()
            }
            if let chunk = chunks.last, chunk.count > width { breakLong(&chunks, &line, length) }
            if let last = line.last, isBlank(last) { line.removeLast() }
            if !line.isEmpty { result.append(Array(line.joined())) }
        }
        return result
    }

    private func isBlank(_ chunk: [Unicode.Scalar]) -> Bool { chunk.allSatisfy { Whitespace.contains($0) } }

    /// Takes what fits of a word that is longer than a line.
    private func breakLong(_ chunks: inout [[Unicode.Scalar]], _ line: inout [[Unicode.Scalar]], _ length: Int) {
        guard let chunk = chunks.popLast() else { return }
        guard breaksWords else {
            if line.isEmpty { line.append(chunk) } else { chunks.append(chunk) }
            return
        }
        let space = Swift.max(1, width - length)
        var end = space
        if breaksHyphens, chunk.count > space, let hyphen = chunk[..<space].lastIndex(of: "-"), hyphen > 0,
            chunk[..<hyphen].contains(where: { $0 != "-" })
        {
            end = hyphen + 1
        }
        line.append(Array(chunk[..<end]))
        chunks.append(Array(chunk[end...]))
    }

    /// Words, the blanks between them, and the parts of hyphenated words.
    private func chunks(of text: [Unicode.Scalar]) -> [[Unicode.Scalar]] {
        var result: [[Unicode.Scalar]] = []
        var start = 0
        while start < text.count {
            let isBlank = WordWrap.isASCIIBlank(text[start])
            var end = start
            while end < text.count, WordWrap.isASCIIBlank(text[end]) == isBlank { end += 1 }
            let word = Array(text[start..<end])
            if isBlank || !breaksHyphens { result.append(word) } else { result += parts(of: word) }
            start = end
        }
        return result
    }

    private static func isASCIIBlank(_ scalar: Unicode.Scalar) -> Bool {
        (0x09...0x0D).contains(scalar.value) || scalar.value == 0x20
    }

    /// Splits a word after hyphens between letters and around dashes of two or more.
    private func parts(of word: [Unicode.Scalar]) -> [[Unicode.Scalar]] {
        func isLetter(_ position: Int) -> Bool {
            word.indices.contains(position) && (word[position] == "_" || word[position].isPythonAlpha)
        }
        func isWordCharacter(_ position: Int) -> Bool {
            word.indices.contains(position)
                && (isLetter(position) || word[position].properties.numericType != nil
                    || "!\"'&.,?".unicodeScalars.contains(word[position]))
        }
        var result: [[Unicode.Scalar]] = []
        var start = 0
        var position = 0
        while position < word.count {
            guard word[position] == "-" else {
                position += 1
                continue
            }
            var end = position
            while end < word.count, word[end] == "-" { end += 1 }
            if end - position >= 2, isWordCharacter(position - 1), isWordCharacter(end) {
                if position > start { result.append(Array(word[start..<position])) }
                result.append(Array(word[position..<end]))
                start = end
            } else if end - position == 1, isLetter(position - 1), isLetter(position - 2), isLetter(end),
                isLetter(end + 1)
            {
                result.append(Array(word[start..<end]))
                start = end
            }
            position = end
        }
        if start < word.count { result.append(Array(word[start...])) }
        return result
    }
}
