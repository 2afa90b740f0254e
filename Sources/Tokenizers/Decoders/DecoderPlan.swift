/// The decoder of a tokenizer: steps through which tokens pass, one by one, on their way to text.
struct DecoderPlan: Sendable {
    enum Step: Sendable {
        case byteLevel
        case byteFallback
        case fuse
        case strip(content: [UInt8], start: Int, stop: Int)
        case replace(Replacement)
        case metaspace(marker: [UInt8], dropsFirst: Bool)
        case wordPiece(prefix: [UInt8], cleansUp: Bool)
        case wordSuffix([UInt8])
        case ctc(pad: [UInt8], delimiter: [UInt8], cleansUp: Bool)
        /// What happens without a decoder: a space between tokens.
        case joinWithSpaces
    }

    private(set) var steps: [Step] = []

    static let maximumSteps = 64

    init(_ field: Field?) throws(TokenizerError) {
        guard let field else {
            steps = [.joinWithSpaces]
            return
        }
        try append(field, depth: 0)
    }

    /// Whether decoding is nothing but bytes in a row.
    var isPlainByteLevel: Bool {
        guard steps.count == 1, case .byteLevel = steps[0] else { return false }
        return true
    }

    private mutating func append(_ field: Field, depth: Int) throws(TokenizerError) {
        guard depth < 32, steps.count < Self.maximumSteps else { throw field.fail("too many nested decoders") }
        let type = try field.type()
        switch type {
        case "Sequence":
            for step in try field.required("decoders").array() { try append(step, depth: depth + 1) }
        case "ByteLevel": steps.append(.byteLevel)
        case "ByteFallback": steps.append(.byteFallback)
        case "Fuse": steps.append(.fuse)
        case "Strip":
            let limit = 0...1 << 20
            steps.append(
                .strip(
                    content: try Self.utf8(field.required("content")),
                    start: try field.required("start").int(in: limit),
                    stop: try field.required("stop").int(in: limit)))
        case "Replace": steps.append(.replace(try Replacement(field)))
        case "Metaspace":
            let marker = try field["replacement"].map { field throws(TokenizerError) in try Self.utf8(field) }
            let scheme = try Metaspace.scheme(field)
            steps.append(.metaspace(marker: marker ?? Array("\u{2581}".utf8), dropsFirst: scheme != .never))
        case "WordPiece":
            steps.append(
                .wordPiece(
                    prefix: Array(try field["prefix"]?.string().utf8 ?? "##".utf8),
                    cleansUp: try field.bool("cleanup", default: true)))
        case "BPEDecoder": steps.append(.wordSuffix(Array(try field["suffix"]?.string().utf8 ?? "</w>".utf8)))
        case "CTC":
            steps.append(
                .ctc(
                    pad: Array(try field["pad_token"]?.string().utf8 ?? "<pad>".utf8),
                    delimiter: Array(try field["word_delimiter_token"]?.string().utf8 ?? "|".utf8),
                    cleansUp: try field.bool("cleanup", default: true)))
        default: throw field.unknownType(type, kind: "decoder")
        }
    }

    private static func utf8(_ field: Field) throws(TokenizerError) -> [UInt8] {
        var bytes: [UInt8] = []
        UTF8Scalars.append(try field.scalar(), to: &bytes)
        return bytes
    }
}
