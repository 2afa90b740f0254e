/// The distinct tokens of a text and how often each occurs, laid out for kernels that touch only these logits.
package struct TokenCounts: Sendable, Equatable {
    package private(set) var tokens: [Int32] = []
    package private(set) var counts: [Float] = []
    private var positions: [Int32: Int] = [:]

    package init() {}

    package init(_ tokens: some Sequence<Int32>) {
        for token in tokens { add(token) }
    }

    /// O(1).
    package mutating func add(_ token: Int32) {
        if let position = positions[token] {
            counts[position] += 1
        } else {
            positions[token] = tokens.count
            tokens.append(token)
            counts.append(1)
        }
    }

    package func contains(_ token: Int32) -> Bool { positions[token] != nil }
}
