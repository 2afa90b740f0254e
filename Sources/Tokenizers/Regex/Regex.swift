/// A compiled pattern.
struct Regex: Sendable {
    private let fast: RegexProgram
    private let bounded: RegexProgram

    init(_ pattern: String) throws(RegexError) {
        let node = try RegexParser.parse(pattern)
        fast = try RegexProgram(node, expandsLoops: false)
        bounded = try RegexProgram(node, expandsLoops: true)
    }

    /// Calls `body` for each match from left to right; an empty match right behind another one does not count.
    ///
    /// O(length) for ordinary patterns; at worst O(length × instructions).
    func forEachMatch(in text: ScalarText, _ body: (Piece) -> Void) {
        var matcher = RegexMatcher(fast, text, isBounded: false)
        var isBounded = false
        var position = 0
        var lastEnd = -1
        while position <= text.count {
            let match = matcher.firstMatch(from: position)
            if matcher.isExhausted, !isBounded {
                isBounded = true
                matcher = RegexMatcher(bounded, text, isBounded: true)
                continue
            }
            guard let match else { return }
            if match.start == match.end, match.end == lastEnd {
                guard position < text.count else { return }
                position = text.scalar(at: position).next
                continue
            }
            body(match)
            position = match.end
            lastEnd = match.end
        }
    }
}
