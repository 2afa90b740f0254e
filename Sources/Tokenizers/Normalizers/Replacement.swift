/// The `Replace` component, a normalizer and a decoder: every match of a literal or a pattern becomes `content`.
struct Replacement: Sendable {
    enum Pattern: Sendable {
        case literal([UInt8])
        case regex(Regex)
    }

    let pattern: Pattern
    let content: [UInt8]

    init(_ field: Field) throws(TokenizerError) {
        content = Array(try field.required("content").string().utf8)
        let pattern = try field.required("pattern")
        if let literal = pattern["String"] {
            let text = Array(try literal.string().utf8)
            guard !text.isEmpty else { throw literal.fail("an empty pattern is not supported") }
            self.pattern = .literal(text)
        } else if let regex = pattern["Regex"] {
            do {
                self.pattern = .regex(try Regex(try regex.string()))
            } catch let error as RegexError {
                throw regex.fail("unsupported pattern: \(error.message), at character \(error.position)")
            } catch let error as TokenizerError {
                throw error
            } catch {
                throw regex.fail("\(error)")
            }
        } else {
            throw pattern.fail("expected String or Regex")
        }
    }

    /// Writes the text with its replacements to `output`. O(length).
    func apply(_ base: UnsafePointer<UInt8>, _ count: Int, to output: inout ByteBuffer) {
        var copied = 0
        switch pattern {
        case .literal(let literal):
            var position = 0
            while position + literal.count <= count {
                if base[position] == literal[0], literal.indices.allSatisfy({ base[position + $0] == literal[$0] }) {
                    output.append(base + copied, count: position - copied)
                    output.append(content)
                    position += literal.count
                    copied = position
                } else {
                    position += 1
                }
            }
            output.append(base + copied, count: count - copied)
        case .regex(let regex):
            var pieces: [Piece] = []
            regex.forEachMatch(in: ScalarText(base: base, count: count, form: .utf8)) { pieces.append($0) }
            for piece in pieces {
                output.append(base + copied, count: piece.start - copied)
                output.append(content)
                copied = piece.end
            }
            output.append(base + copied, count: count - copied)
        }
    }

    /// The bytes with their replacements.
    func apply(_ bytes: [UInt8]) -> [UInt8] {
        if case .literal(let literal) = pattern { return TokenText.replace(literal, with: content, in: bytes) }
        var input = ByteBuffer(capacity: bytes.count + 1)
        input.append(bytes)
        var output = ByteBuffer(capacity: bytes.count + 1)
        apply(input.base, bytes.count, to: &output)
        return Array(UnsafeBufferPointer(start: output.base, count: output.count))
    }
}
