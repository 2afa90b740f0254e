/// Where a token's bytes are, and its id.
struct VocabularyEntry: BitwiseCopyable {
    var start: UInt32
    var length: UInt32
    var isLiteral: Bool
    var id: Int32
}

/// Collects the tokens of a file before they are indexed.
struct VocabularyBuilder {
    let field: String
    private(set) var arena: [UInt8] = []
    private(set) var entries: [VocabularyEntry] = []
    private(set) var longest = 0
    private let form: TextForm

    init(field: String, form: TextForm) {
        self.field = field
        self.form = form
    }

    /// Adds a token given as the file spells it.
    mutating func append(_ token: UnsafeBufferPointer<UInt8>, id: Int) throws(TokenizerError) {
        guard id >= 0, id <= Vocabulary.maximumID else {
            let shown = String(decoding: token.prefix(80), as: UTF8.self)
            throw TokenizerError(
                field, "the token '\(shown)' has the id \(id); ids must be from 0 to \(Vocabulary.maximumID)")
        }
        let start = arena.count
        guard start + token.count < Int(UInt32.max) else {
            throw TokenizerError(field, "the tokens have more than 4 GiB of text")
        }
        let isLiteral = form == .byteLevel && !ByteAlphabet.append(bytesSpelledBy: token, to: &arena)
        if isLiteral || form == .utf8 { arena.append(contentsOf: token) }
        let length = arena.count - start
        longest = max(longest, length)
        entries.append(
            VocabularyEntry(
                start: UInt32(truncatingIfNeeded: start), length: UInt32(truncatingIfNeeded: length),
                isLiteral: isLiteral, id: Int32(truncatingIfNeeded: id)))
    }
}
