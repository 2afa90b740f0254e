/// Whole pieces looked up in the vocabulary.
final class WordLevelModel: Sendable {
    let vocabulary: Vocabulary
    private let unknownID: Int32

    init(_ vocabulary: Vocabulary, _ field: Field) throws(TokenizerError) {
        self.vocabulary = vocabulary
        unknownID = try field.unknownID(in: vocabulary, default: "<unk>")
    }

    func encode(_ text: ScalarText, into ids: inout [Int32]) {
        ids.append(vocabulary.id(text.base, text.count) ?? unknownID)
    }
}

extension Field {
    /// The id of `unk_token`, which a model of whole words cannot do without.
    func unknownID(in vocabulary: Vocabulary, default name: String) throws(TokenizerError) -> Int32 {
        let token = try self["unk_token"]?.string() ?? name
        guard let id = vocabulary.id(ofText: token) else {
            throw TokenizerError("\(path).unk_token", "the token '\(token.prefix(80))' is not in the vocabulary")
        }
        return id
    }
}
