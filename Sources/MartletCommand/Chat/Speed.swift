/// How fast a reply came.
struct Speed {
    private let start = ContinuousClock.now
    private var first: ContinuousClock.Instant?
    private var last: ContinuousClock.Instant?
    private(set) var tokens = 0

    /// Notes `count` more tokens, now.
    mutating func add(_ count: Int) {
        guard count > 0 else { return }
        let now = ContinuousClock.now
        if first == nil { first = now }
        last = now
        tokens += count
    }

    /// One line: `57 tokens · 81.2 tok/s · first after 0.12 s`. The rate counts from the first token on.
    var summary: String? {
        guard let first, let last else { return nil }
        return Self.summary(
            tokens: tokens, untilFirst: Format.seconds(first - start), afterFirst: Format.seconds(last - first))
    }

    static func summary(tokens: Int, untilFirst: Double, afterFirst: Double) -> String {
        var parts = [tokens == 1 ? "1 token" : "\(tokens) tokens"]
        if tokens > 1, afterFirst > 0 { parts.append("\(Format.rate(Double(tokens - 1) / afterFirst)) tok/s") }
        parts.append("first after \(Format.fixed(untilFirst, 2)) s")
        return parts.joined(separator: " · ")
    }
}
