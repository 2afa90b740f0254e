/// What happens to the delimiters of a split.
enum SplitBehavior: String, Sendable {
    case removed = "Removed"
    case isolated = "Isolated"
    case mergedWithPrevious = "MergedWithPrevious"
    case mergedWithNext = "MergedWithNext"
    case contiguous = "Contiguous"

    init(_ field: Field) throws(TokenizerError) {
        let name = try field.string()
        // Files of the Python package spell the behaviours in lower case too.
        let camel = name.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
        guard let behavior = SplitBehavior(rawValue: camel) else {
            throw field.fail(
                "unknown behavior '\(name.prefix(40))'; expected Removed, Isolated, MergedWithPrevious, "
                    + "MergedWithNext or Contiguous")
        }
        self = behavior
    }
}

/// Cuts one piece at the matches that it is told of, in order, without storing them.
struct PieceCutter {
    private let behavior: SplitBehavior
    private let isInverted: Bool
    private let piece: Piece
    private var covered: Int
    private var open: Piece?
    private var previousWasMatch = false

    init(_ piece: Piece, _ behavior: SplitBehavior, isInverted: Bool = false) {
        self.piece = piece
        self.behavior = behavior
        self.isInverted = isInverted
        covered = piece.start
    }

    /// The next match; what lies between it and the one before is no match.
    @inline(__always)
    mutating func match(_ start: Int, _ end: Int, into pieces: inout [Piece]) {
        if covered < start { part(covered, start, isInverted, &pieces) }
        part(start, end, !isInverted, &pieces)
        covered = end
    }

    /// The rest of the piece.
    @inline(__always)
    mutating func finish(into pieces: inout [Piece]) {
        if covered < piece.end { part(covered, piece.end, isInverted, &pieces) }
        if let open { Self.append(open, &pieces) }
        open = nil
    }

    @inline(__always)
    private static func append(_ piece: Piece, _ pieces: inout [Piece]) {
        if piece.start < piece.end { pieces.append(piece) }
    }

    @inline(__always)
    private mutating func part(_ start: Int, _ end: Int, _ isMatch: Bool, _ pieces: inout [Piece]) {
        let next = Piece(start: start, end: end)
        switch behavior {
        case .removed: if !isMatch { Self.append(next, &pieces) }
        case .isolated: Self.append(next, &pieces)
        case .contiguous: join(next, when: isMatch == previousWasMatch, &pieces)
        case .mergedWithPrevious: join(next, when: isMatch && !previousWasMatch, &pieces)
        case .mergedWithNext:
            // A delimiter joins what follows, unless that is a delimiter too.
            join(next, when: previousWasMatch && !isMatch, &pieces)
        }
        previousWasMatch = isMatch
    }

    private mutating func join(_ next: Piece, when joins: Bool, _ pieces: inout [Piece]) {
        if joins, let current = open {
            open = Piece(start: current.start, end: next.end)
        } else {
            if let open { Self.append(open, &pieces) }
            open = next
        }
    }
}
