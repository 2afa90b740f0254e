/// BERT's greedy longest match; a piece that cannot be covered is one unknown token.
final class WordPieceModel: Sendable {
    let vocabulary: Vocabulary
    private let unknownID: Int32
    private let prefix: [UInt8]
    private let longestPiece: Int

    init(_ vocabulary: Vocabulary, _ field: Field) throws(TokenizerError) {
        self.vocabulary = vocabulary
        unknownID = try field.unknownID(in: vocabulary, default: "[UNK]")
        let text = Array(try field["continuing_subword_prefix"]?.string().utf8 ?? "##".utf8)
        if vocabulary.form == .byteLevel {
            guard let raw = text.withUnsafeBufferPointer({ ByteAlphabet.bytes(spelledBy: $0) }) else {
                throw TokenizerError(
                    "\(field.path).continuing_subword_prefix",
                    "the prefix cannot occur behind a ByteLevel pre-tokenizer")
            }
            prefix = raw
        } else {
            prefix = text
        }
        longestPiece = try field["max_input_chars_per_word"]?.int(in: 0...1 << 20) ?? 100
    }

    /// O(length × longest token).
    func encode(_ text: ScalarText, into ids: inout [Int32], _ space: Workspace) {
        guard scalarCount(text, limit: longestPiece) <= longestPiece else { return ids.append(unknownID) }
        let first = ids.count
        var start = 0
        while start < text.count {
            guard let (id, end) = longestMatch(text, from: start, space) else {
                ids.removeSubrange(first...)
                return ids.append(unknownID)
            }
            ids.append(id)
            start = end
        }
    }

    /// Number of scalars, counted no further than one past `limit`.
    private func scalarCount(_ text: ScalarText, limit: Int) -> Int {
        if text.count <= limit { return text.count }
        var count = 0
        var position = 0
        while position < text.count, count <= limit {
            position = text.scalar(at: position).next
            count += 1
        }
        return count
    }

    private func longestMatch(_ text: ScalarText, from start: Int, _ space: Workspace) -> (id: Int32, end: Int)? {
        space.segment.otherText.removeAll()
        if start > 0 { space.segment.otherText.append(prefix) }
        let prefixLength = space.segment.otherText.count
        var end = min(text.count, start + max(vocabulary.longest - prefixLength, 0))
        if text.form == .utf8 {
            while end > start, end < text.count, text.base[end] & 0xC0 == 0x80 { end -= 1 }
        }
        space.segment.otherText.append(text.base + start, count: end - start)
        while end > start {
            if let id = vocabulary.id(space.segment.otherText.base, prefixLength + end - start) { return (id, end) }
            end = text.scalar(before: end).start
        }
        return nil
    }
}
