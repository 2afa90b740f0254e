import Testing

@testable import Tokenizers

@Suite struct RegexTests {
    private func matches(_ pattern: String, _ text: String) throws -> [String] {
        let regex = try Tokenizers.Regex(pattern)
        let bytes = Array(text.utf8)
        let padded = bytes + [UInt8](repeating: 0, count: ByteBuffer.padding)
        return try padded.withUnsafeBufferPointer { buffer in
            let base = try #require(buffer.baseAddress)
            var result: [String] = []
            regex.forEachMatch(in: ScalarText(base: base, count: bytes.count, form: .utf8)) { piece in
                result.append(String(decoding: bytes[piece.start..<piece.end], as: UTF8.self))
            }
            return result
        }
    }

    @Test func `patterns that explode elsewhere end`() throws {
        let letters = String(repeating: "a", count: 20_000)
        #expect(try matches("(a+)+b", letters).isEmpty)
        #expect(try matches("(a|aa)+$", letters) == [letters])
        #expect(try matches("(?:a*)*b", letters).isEmpty)
        #expect(try matches("(?:a*a*a*)*c|b", letters + "b") == ["b"])
        #expect(try matches(#"\s+$"#, String(repeating: " ", count: 20_000) + "x").isEmpty)
        #expect(try matches(#"\s++$"#, String(repeating: " ", count: 20_000) + "x").isEmpty)
        #expect(try matches("(?:(?=a*)a)*b", String(letters.prefix(2_000))).isEmpty)
    }

    @Test func `the bounded program finds what the fast one finds`() throws {
        let patterns = [
            #"(a|ab)(c|bcd)*"#, #"a*?b"#, #"(?:a|b)*?c|\w+"#, #"(?>a+)b|a"#, #"(?<=a)b+"#, #"[^\s]{2,3}?"#, #"\w++\W?"#,
            #"x*"#, #"(?!ab)\w"#,
        ]
        let text = "abcbcd aab cabx  xxab\nbbaabcd"
        let bytes = Array(text.utf8) + [UInt8](repeating: 0, count: ByteBuffer.padding)
        for pattern in patterns {
            let node = try RegexParser.parse(pattern)
            let results = try [false, true].map { isBounded in
                let program = try RegexProgram(node, expandsLoops: isBounded)
                return try bytes.withUnsafeBufferPointer { buffer in
                    let base = try #require(buffer.baseAddress)
                    let view = ScalarText(base: base, count: text.utf8.count, form: .utf8)
                    var matcher = RegexMatcher(program, view, isBounded: isBounded)
                    var found: [Int] = []
                    var position = 0
                    while let match = matcher.firstMatch(from: position) {
                        found += [match.start, match.end]
                        position = max(match.end, match.start + 1)
                        if position > text.utf8.count { break }
                    }
                    return found
                }
            }
            #expect(results[0] == results[1], "\(pattern)")
        }
    }

    @Test func `hand-written scanners cut like the patterns that they stand for`() throws {
        let letters = #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"#
        let rest = #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
        let patterns = [
            #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#,
            letters + #"\p{N}{1,3}"# + rest, letters + #"\p{N}"# + rest,
            #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"#
                + #"|\s*[\r\n]+|\s+(?!\S)|\s+"#,
        ]
        let alphabet: [String] = [
            "a", "Z", "é", "中", "\u{301}", "1", "²", "٣", " ", " ", "  ", "\n", "\r", "\t", "\u{A0}", "\u{3000}", "'",
            "'s", "'LL",
            "'ſ", "!", "—", "😀", "\u{0}", "\u{200D}",
        ]
        let seed: UInt64 = 42
        var generator = SeededGenerator(seed: seed)
        for pattern in patterns {
            let scanner = try #require(WordScanner(pattern: pattern))
            for _ in 0..<3000 {
                let count = Int.random(in: 1...12, using: &generator)
                let text = (0..<count).map { _ in alphabet.randomElement(using: &generator) ?? "" }.joined()
                let bytes = Array(text.utf8) + [UInt8](repeating: 0, count: ByteBuffer.padding)
                var pieces: [Piece] = []
                bytes.withUnsafeBufferPointer { buffer in
                    if let base = buffer.baseAddress { scanner.split(base, 0, text.utf8.count, into: &pieces) }
                }
                let cut = pieces.map { String(decoding: bytes[$0.start..<$0.end], as: UTF8.self) }
                #expect(cut == (try matches(pattern, text)), "seed \(seed), \(pattern) on \(text.debugDescription)")
            }
        }
    }
}
