/// SentencePiece's white space: every space becomes a visible scalar, with one in front of the text, and pieces begin
/// with it.
struct Metaspace: Sendable {
    enum Scheme: String, Sendable {
        case always
        case first
        case never
    }

    let replacement: [UInt8]
    let scheme: Scheme
    let splits: Bool

    init(_ field: Field) throws(TokenizerError) {
        let scalar = try field["replacement"]?.scalar() ?? 0x2581
        var bytes: [UInt8] = []
        UTF8Scalars.append(scalar, to: &bytes)
        replacement = bytes
        splits = try field.bool("split", default: true)
        scheme = try Self.scheme(field)
    }

    static func scheme(_ field: Field) throws(TokenizerError) -> Scheme {
        var scheme = Scheme.always
        if let name = field["prepend_scheme"] {
            guard let known = Scheme(rawValue: try name.string()) else {
                throw name.fail("expected always, first or never")
            }
            scheme = known
        }
        if try !field.bool("add_prefix_space", default: true) {
            guard scheme == .never || field["prepend_scheme"] == nil else {
                throw TokenizerError(
                    "\(field.path).add_prefix_space", "false contradicts the prepend_scheme '\(scheme.rawValue)'")
            }
            scheme = .never
        }
        return scheme
    }

    /// Rewrites the segment's text and its pieces. O(length).
    func apply(to segment: SegmentSpace) {
        segment.otherText.removeAll()
        segment.otherPieces.removeAll(keepingCapacity: true)
        for piece in segment.pieces {
            let start = segment.otherText.count
            let text = segment.text.base
            let isFirst = piece.start == 0 && segment.startsAtOrigin
            if scheme == .always || (scheme == .first && isFirst), !beginsWithMarker(text, piece) {
                segment.otherText.append(replacement)
            }
            for position in piece.start..<piece.end {
                if text[position] == 0x20 {
                    segment.otherText.append(replacement)
                } else {
                    segment.otherText.append(text[position])
                }
            }
            let whole = Piece(start: start, end: segment.otherText.count)
            if splits {
                split(segment.otherText.base, whole, &segment.otherPieces)
            } else {
                segment.otherPieces.append(whole)
            }
        }
        segment.swapText()
        segment.swapPieces()
    }

    private func beginsWithMarker(_ text: UnsafePointer<UInt8>, _ piece: Piece) -> Bool {
        text[piece.start] == 0x20 || isMarker(text, piece.start, piece.end)
    }

    @inline(__always)
    private func isMarker(_ text: UnsafePointer<UInt8>, _ position: Int, _ end: Int) -> Bool {
        guard text[position] == replacement[0], position + replacement.count <= end else { return false }
        return replacement.indices.allSatisfy { text[position + $0] == replacement[$0] }
    }

    private func split(_ text: UnsafePointer<UInt8>, _ whole: Piece, _ pieces: inout [Piece]) {
        var cutter = PieceCutter(whole, .mergedWithNext)
        var position = whole.start
        while position < whole.end {
            if isMarker(text, position, whole.end) {
                cutter.match(position, position + replacement.count, into: &pieces)
                position += replacement.count
            } else {
                position += 1
            }
        }
        cutter.finish(into: &pieces)
    }
}
