/// The tokens that are recognised in the text itself, before (or right after) normalisation.
///
/// Follows `AddedVocabulary` of HuggingFace `tokenizers`: leftmost longest matches; `single_word`, `lstrip` and
/// `rstrip` are applied to each match afterwards.
final class AddedTokens: Sendable {
    struct Token: Sendable {
        var content: String
        var id: Int32
        var isSpecial = false
        var isNormalized = true
        var isSingleWord = false
        var stripsLeft = false
        var stripsRight = false
    }

    /// By id.
    let tokens: [Int32: Token]
    /// What each token is in decoded text: its normalised form where it is matched in normalised text.
    private let decodedContents: [Int32: String]
    private let ids: [String: Int32]
    private let literalTrie: ByteTrie?
    /// For every id up to the largest added one: 1 for an added token, 3 for one that decoding may leave out.
    private let kinds: FlatBuffer<UInt8>
    private let normalizedTrie: ByteTrie?
    private let normalizedForm: TextForm

    /// `normalize` is the tokenizer's normalizer; ids are given as `tokenizers` does: the model's if it knows the token,
    /// else the next free number.
    init(
        _ field: Field?, model: Vocabulary, normalizedForm: TextForm, normalize: (String) -> [UInt8]
    ) throws(TokenizerError) {
        var tokens: [Int32: Token] = [:]
        var ids: [String: Int32] = [:]
        var decoded: [Int32: String] = [:]
        var special: Set<String> = []
        var nextID = Int32(model.count)
        for element in try field?.array() ?? [] {
            var token = try Self.token(element)
            guard !token.content.isEmpty else { continue }
            if let known = ids[token.content] ?? model.id(ofText: token.content) {
                token.id = known
            } else {
                token.id = nextID
                nextID += 1
            }
            ids[token.content] = token.id
            tokens[token.id] = token
            decoded[token.id] = token.content
            if token.isSpecial { special.insert(token.content) }
        }
        var literal = ByteTrieBuilder()
        var normalized = ByteTrieBuilder()
        var hasLiteral = false
        var hasNormalized = false
        for (id, token) in tokens.sorted(by: { $0.key < $1.key }) {
            if token.isNormalized {
                let pattern = normalize(token.content)
                let spelled = normalizedForm == .byteLevel ? ByteAlphabet.spell(pattern) : pattern
                decoded[id] = String(decoding: spelled, as: UTF8.self)
                if !pattern.isEmpty {
                    normalized.insert(pattern, value: id)
                    hasNormalized = true
                }
            } else {
                literal.insert(token.content.utf8, value: id)
                hasLiteral = true
            }
        }
        let kinds = FlatBuffer<UInt8>(repeating: 0, count: Int(tokens.keys.max() ?? -1) + 1)
        for (id, content) in decoded { kinds.base[Int(id)] = special.contains(content) ? 3 : 1 }
        self.kinds = kinds
        self.normalizedForm = normalizedForm
        self.tokens = tokens
        self.ids = ids
        decodedContents = decoded
        literalTrie = hasLiteral ? ByteTrie(literal) : nil
        normalizedTrie = hasNormalized ? ByteTrie(normalized) : nil
    }

    private static func token(_ field: Field) throws(TokenizerError) -> Token {
        // The number is checked but not used: `tokenizers` gives ids by the rule above.
        _ = try field.required("id").int(in: 0...Vocabulary.maximumID)
        var token = Token(content: try field.required("content").string(), id: 0)
        token.isSpecial = try field.bool("special", default: false)
        token.isNormalized = try field.bool("normalized", default: !token.isSpecial)
        token.isSingleWord = try field.bool("single_word", default: false)
        token.stripsLeft = try field.bool("lstrip", default: false)
        token.stripsRight = try field.bool("rstrip", default: false)
        return token
    }

    func id(of content: String) -> Int32? { ids[content] }

    /// What the added token `id` is in decoded text; nil for the model's own tokens.
    func decodedContent(of id: Int32) -> String? {
        guard id >= 0, Int(id) < kinds.count, kinds.base[Int(id)] != 0 else { return nil }
        return decodedContents[id]
    }

    /// Whether decoding without special tokens leaves the id out.
    func isSkipped(_ id: Int32) -> Bool { id >= 0 && Int(id) < kinds.count && kinds.base[Int(id)] == 3 }

    var hasNormalizedTokens: Bool { normalizedTrie != nil }

    /// Calls `body` for each part of the text in order: with an id for an added token, without one for other text.
    @inline(__always)
    func forEachPart(
        _ base: UnsafePointer<UInt8>, _ count: Int, normalized: Bool, _ body: (_ start: Int, _ end: Int, Int32?) -> Void
    ) {
        guard let trie = normalized ? normalizedTrie : literalTrie else {
            if count > 0 { body(0, count, nil) }
            return
        }
        var covered = 0
        var position = 0
        while position < count {
            guard trie.isStart(base[position]), let match = trie.longestMatch(base, position, count) else {
                position &+= 1
                continue
            }
            let text = ScalarText(base: base, count: count, form: normalized ? normalizedForm : .utf8)
            if let part = extent(text, position, match, covered) {
                if covered < part.start { body(covered, part.start, nil) }
                body(part.start, part.end, match.value)
                covered = part.end
            }
            position = match.end
        }
        if covered < count { body(covered, count, nil) }
    }

    /// The text that a match takes with it, or nil when the match does not count.
    private func extent(
        _ text: ScalarText, _ start: Int, _ match: (value: Int32, end: Int), _ covered: Int
    ) -> Piece? {
        guard let token = tokens[match.value] else { return nil }
        if token.isSingleWord {
            if start > 0, WordCharacter.contains(text.scalar(before: start).value) { return nil }
            if match.end < text.count, WordCharacter.contains(text.scalar(at: match.end).value) { return nil }
        }
        var part = Piece(start: start, end: match.end)
        let categories = CategoryTable.shared
        if token.stripsLeft {
            var left = start
            while left > 0 {
                let (scalar, before) = text.scalar(before: left)
                guard categories.contains(scalar, in: .space) else { break }
                left = before
            }
            part.start = max(left, covered)
        }
        if token.stripsRight {
            while part.end < text.count {
                let (scalar, next) = text.scalar(at: part.end)
                guard categories.contains(scalar, in: .space) else { break }
                part.end = next
            }
        }
        return part
    }
}

/// `\w` of Unicode-aware regular expressions: alphabetic scalars, marks, decimal digits and connectors.
enum WordCharacter {
    static let categories: CategorySet = [.letter, .mark, .decimal, .letterNumber, .connector]
    /// Letters in circles and squares: alphabetic, though their category is So.
    static let extra: [ClosedRange<UInt32>] = [
        0x24B6...0x24E9, 0x1F130...0x1F149, 0x1F150...0x1F169, 0x1F170...0x1F189,
    ]
    /// Zero-width joiner and non-joiner: in Rust's `\w`, not in Oniguruma's.
    static let joiners: ClosedRange<UInt32> = 0x200C...0x200D

    /// As Rust's `regex` has it.
    static func contains(_ scalar: UInt32) -> Bool {
        CategoryTable.shared.contains(scalar, in: categories) || joiners.contains(scalar)
            || extra.contains { $0.contains(scalar) }
    }
}
