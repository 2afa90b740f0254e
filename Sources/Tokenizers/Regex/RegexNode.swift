/// A pattern as a tree.
indirect enum RegexNode: Sendable {
    enum Assertion: Sendable {
        case lineStart
        case lineEnd
        case textStart
        case textEnd
        case textEndOrLastLine
        case wordBoundary
        case notWordBoundary
    }

    enum Greed: Sendable {
        case greedy
        case lazy
        case possessive
    }

    case empty
    case set(ScalarSet)
    case sequence([RegexNode])
    case alternatives([RegexNode])
    case repeated(RegexNode, minimum: Int, maximum: Int?, Greed)
    case atomic(RegexNode)
    case look(RegexNode, isAhead: Bool, isNegated: Bool)
    case assertion(Assertion)
}
