/// The pre-tokenizer of a tokenizer: steps that cut a text into pieces, some of which also change it.
struct PreTokenizer: Sendable {
    enum Step: Sendable {
        /// Cuts every piece, leaves the text as it is.
        case split(Splitter)
        /// A space in front of every piece that does not begin with one.
        case prefixSpace
    }

    private var steps: [Step] = []
    /// How text looks behind the last step.
    private(set) var outputForm: TextForm

    static let maximumSteps = 256

    init(_ field: Field?, form: TextForm) throws(TokenizerError) {
        outputForm = form
        if let field { try append(field, depth: 0) }
    }

    private mutating func append(_ field: Field, depth: Int) throws(TokenizerError) {
        guard depth < 32, steps.count < Self.maximumSteps else { throw field.fail("too many nested pre-tokenizers") }
        let type = try field.type()
        switch type {
        case "Sequence":
            for step in try field.required("pretokenizers").array() { try append(step, depth: depth + 1) }
        case "ByteLevel":
            if try field.bool("add_prefix_space", default: true) { steps.append(.prefixSpace) }
            if try field.bool("use_regex", default: true) { steps.append(.split(.words(.gpt2))) }
            outputForm = .byteLevel
        default: throw field.unknownType(type, kind: "pre-tokenizer")
        }
    }

    /// Cuts the segment's text into pieces.
    func split(_ segment: SegmentSpace) {
        segment.pieces.removeAll(keepingCapacity: true)
        guard segment.text.count > 0 else { return }
        segment.pieces.append(Piece(start: 0, end: segment.text.count))
        for step in steps {
            switch step {
            case .split(let splitter):
                segment.otherPieces.removeAll(keepingCapacity: true)
                splitter.split(segment.text.base, segment.pieces, into: &segment.otherPieces)
                segment.swapPieces()
            case .prefixSpace: break
            }
        }
    }
}

/// A way to cut pieces that leaves the text as it is.
enum Splitter: Sendable {
    case words(WordScanner)

    func split(_ base: UnsafePointer<UInt8>, _ pieces: [Piece], into output: inout [Piece]) {
        switch self {
        case .words(let scanner):
            for piece in pieces { scanner.split(base, piece.start, piece.end, into: &output) }
        }
    }
}
