/// The model of a tokenizer: pieces of text to ids.
enum TokenModel: Sendable {
    case bytePair(BytePairModel)
    case unigram(UnigramModel)
    case wordPiece(WordPieceModel)
    case wordLevel(WordLevelModel)

    var vocabulary: Vocabulary {
        switch self {
        case .bytePair(let model): model.vocabulary
        case .unigram(let model): model.vocabulary
        case .wordPiece(let model): model.vocabulary
        case .wordLevel(let model): model.vocabulary
        }
    }

    /// Appends the ids of the pieces of `base`, whose memory must be readable 32 bytes past its end.
    func encode(_ base: UnsafePointer<UInt8>, _ pieces: [Piece], into ids: inout [Int32], _ space: Workspace) {
        let form = vocabulary.form
        switch self {
        case .bytePair(let model):
            for piece in pieces { model.encode(Self.text(base, piece, form), into: &ids, space) }
        case .unigram(let model):
            for piece in pieces { model.encode(Self.text(base, piece, form), into: &ids, space) }
        case .wordPiece(let model):
            for piece in pieces { model.encode(Self.text(base, piece, form), into: &ids, space) }
        case .wordLevel(let model):
            for piece in pieces { model.encode(Self.text(base, piece, form), into: &ids) }
        }
    }

    @inline(__always)
    private static func text(_ base: UnsafePointer<UInt8>, _ piece: Piece, _ form: TextForm) -> ScalarText {
        ScalarText(base: base + piece.start, count: piece.end &- piece.start, form: form)
    }
}
