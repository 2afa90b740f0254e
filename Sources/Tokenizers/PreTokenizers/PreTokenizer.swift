/// The pre-tokenizer of a tokenizer: steps that cut a text into pieces, some of which also change it.
struct PreTokenizer: Sendable {
    enum Step: Sendable {
        /// Cuts every piece, leaves the text as it is.
        case split(Splitter)
        /// A space in front of every piece that does not begin with one.
        case prefixSpace
        case metaspace(Metaspace)
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
        case "ByteLevel": try appendByteLevel(field)
        case "Split": try appendSplit(field)
        case "Digits":
            let isIndividual = try field.bool("individual_digits", default: false)
            append(.scalars(ScalarSet(.number), isIndividual ? .isolated : .contiguous))
        case "Punctuation":
            let behavior = try field["behavior"].map(SplitBehavior.init) ?? .isolated
            append(.scalars(UnicodeData.punctuationSet, behavior))
        case "BertPreTokenizer":
            append(.scalars(.space, .removed))
            append(.scalars(UnicodeData.punctuationSet, .isolated))
        case "Whitespace": append(.visibleRuns)
        case "WhitespaceSplit": append(.scalars(.space, .removed))
        case "CharDelimiterSplit": append(.scalars(ScalarSet(try field.required("delimiter").scalar()), .removed))
        case "FixedLength": append(.fixedLength(try field["length"]?.int(in: 1...1 << 30) ?? 5))
        case "Metaspace":
            guard outputForm == .utf8 else { throw field.fail("Metaspace behind ByteLevel is not supported") }
            steps.append(.metaspace(try Metaspace(field)))
        default: throw field.unknownType(type, kind: "pre-tokenizer")
        }
    }

    private mutating func append(_ rule: Splitter.Rule) {
        steps.append(.split(Splitter(rule: rule, form: outputForm)))
    }

    private mutating func appendByteLevel(_ field: Field) throws(TokenizerError) {
        guard outputForm == .utf8 else { throw field.fail("ByteLevel behind ByteLevel is not supported") }
        if try field.bool("add_prefix_space", default: true) { steps.append(.prefixSpace) }
        if try field.bool("use_regex", default: true) { append(.words(.gpt2)) }
        outputForm = .byteLevel
    }

    private mutating func appendSplit(_ field: Field) throws(TokenizerError) {
        let behavior = try SplitBehavior(try field.required("behavior"))
        let isInverted = try field.required("invert").bool()
        let pattern = try field.required("pattern")
        if let literal = pattern["String"] {
            var bytes = Array(try literal.string().utf8)
            if outputForm == .byteLevel {
                // A literal with a scalar outside the byte alphabet never occurs in mapped text.
                guard let raw = bytes.withUnsafeBufferPointer({ ByteAlphabet.bytes(spelledBy: $0) }) else {
                    throw literal.fail("the pattern cannot occur behind ByteLevel")
                }
                bytes = raw
            }
            append(.literal(bytes, behavior, isInverted: isInverted))
            return
        }
        guard let regex = pattern["Regex"] else { throw pattern.fail("expected String or Regex") }
        let text = try regex.string()
        if outputForm == .utf8, behavior != .contiguous, let scanner = WordScanner(pattern: text),
            behavior == .isolated || (behavior == .removed && isInverted)
        {
            append(.words(scanner))
            return
        }
        do {
            append(.regex(try Regex(text), behavior, isInverted: isInverted))
        } catch {
            throw regex.fail("unsupported pattern: \(error.message), at character \(error.position)")
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
            case .prefixSpace: prefixSpaces(segment)
            case .metaspace(let metaspace): metaspace.apply(to: segment)
            }
        }
    }

    private func prefixSpaces(_ segment: SegmentSpace) {
        guard segment.pieces.contains(where: { segment.text.base[$0.start] != 0x20 }) else { return }
        segment.otherText.removeAll()
        segment.otherPieces.removeAll(keepingCapacity: true)
        for piece in segment.pieces {
            let start = segment.otherText.count
            if segment.text.base[piece.start] != 0x20 { segment.otherText.append(0x20) }
            segment.otherText.append(segment.text.base + piece.start, count: piece.end - piece.start)
            segment.otherPieces.append(Piece(start: start, end: segment.otherText.count))
        }
        segment.swapText()
        segment.swapPieces()
    }
}

extension UnicodeData {
    /// What Punctuation and the BERT components split off.
    static let punctuationSet = ScalarSet(closedRanges(punctuation))

    /// Pairs of first and last scalar as ranges.
    static func closedRanges(_ flat: [UInt32]) -> [ClosedRange<UInt32>] {
        stride(from: 0, to: flat.count - 1, by: 2).map { flat[$0]...flat[$0 + 1] }
    }
}
