/// A way to cut pieces that leaves the text as it is.
struct Splitter: Sendable {
    enum Rule: Sendable {
        case words(WordScanner)
        case regex(Regex, SplitBehavior, isInverted: Bool)
        case literal([UInt8], SplitBehavior, isInverted: Bool)
        /// Every scalar of the set is a match of its own.
        case scalars(ScalarSet, SplitBehavior)
        /// Runs of word characters and runs of other visible characters.
        case visibleRuns
        case fixedLength(Int)
    }

    let rule: Rule
    /// The form of the text that the rule reads.
    let form: TextForm

    /// Appends the parts of all pieces. O(length).
    func split(_ base: UnsafePointer<UInt8>, _ pieces: [Piece], into output: inout [Piece]) {
        switch rule {
        case .words(let scanner): for piece in pieces { scanner.split(base, piece.start, piece.end, into: &output) }
        case .regex(let regex, let behavior, let isInverted):
            for piece in pieces { split(base, piece, regex, behavior, isInverted, &output) }
        case .literal(let literal, let behavior, let isInverted):
            for piece in pieces { split(base, piece, literal, behavior, isInverted, &output) }
        case .scalars(let set, let behavior): for piece in pieces { split(base, piece, set, behavior, &output) }
        case .visibleRuns: for piece in pieces { splitVisibleRuns(base, piece, &output) }
        case .fixedLength(let length): for piece in pieces { split(base, piece, length, &output) }
        }
    }

    private func split(
        _ base: UnsafePointer<UInt8>, _ piece: Piece, _ regex: Regex, _ behavior: SplitBehavior, _ isInverted: Bool,
        _ output: inout [Piece]
    ) {
        var cutter = PieceCutter(piece, behavior, isInverted: isInverted)
        let text = ScalarText(base: base + piece.start, count: piece.end - piece.start, form: form)
        regex.forEachMatch(in: text) { match in
            cutter.match(piece.start + match.start, piece.start + match.end, into: &output)
        }
        cutter.finish(into: &output)
    }

    private func split(
        _ base: UnsafePointer<UInt8>, _ piece: Piece, _ literal: [UInt8], _ behavior: SplitBehavior,
        _ isInverted: Bool, _ output: inout [Piece]
    ) {
        var cutter = PieceCutter(piece, behavior, isInverted: isInverted)
        guard let first = literal.first else {
            cutter.finish(into: &output)
            return
        }
        var position = piece.start
        while position + literal.count <= piece.end {
            if base[position] == first, literal.indices.allSatisfy({ base[position + $0] == literal[$0] }) {
                cutter.match(position, position + literal.count, into: &output)
                position += literal.count
            } else {
                position += 1
            }
        }
        cutter.finish(into: &output)
    }

    private func split(
        _ base: UnsafePointer<UInt8>, _ piece: Piece, _ set: ScalarSet, _ behavior: SplitBehavior,
        _ output: inout [Piece]
    ) {
        var cutter = PieceCutter(piece, behavior)
        let text = ScalarText(base: base, count: piece.end, form: form)
        var position = piece.start
        while position < piece.end {
            let (scalar, next) = text.scalar(at: position)
            if set.contains(scalar) { cutter.match(position, next, into: &output) }
            position = next
        }
        cutter.finish(into: &output)
    }

    private func splitVisibleRuns(_ base: UnsafePointer<UInt8>, _ piece: Piece, _ output: inout [Piece]) {
        let text = ScalarText(base: base, count: piece.end, form: form)
        var position = piece.start
        var start = piece.start
        var kind = 0
        while position < piece.end {
            let (scalar, next) = text.scalar(at: position)
            let newKind =
                CategoryTable.shared.contains(scalar, in: .space) ? 0 : WordCharacter.contains(scalar) ? 1 : 2
            if newKind != kind {
                if kind != 0 { output.append(Piece(start: start, end: position)) }
                start = position
                kind = newKind
            }
            position = next
        }
        if kind != 0 { output.append(Piece(start: start, end: piece.end)) }
    }

    private func split(_ base: UnsafePointer<UInt8>, _ piece: Piece, _ length: Int, _ output: inout [Piece]) {
        let text = ScalarText(base: base, count: piece.end, form: form)
        var position = piece.start
        while position < piece.end {
            let start = position
            var count = 0
            while position < piece.end, count < length {
                position = text.scalar(at: position).next
                count += 1
            }
            output.append(Piece(start: start, end: position))
        }
    }
}
