/// A set of tokens as one bit for each id of the vocabulary: the form that kernels apply to logits.
package struct TokenMask: Sendable, Equatable {
    package private(set) var words: [UInt32]

    /// An empty set over `vocabularySize` ids.
    package init(vocabularySize: Int) {
        words = Array(repeating: 0, count: (vocabularySize + 31) / 32)
    }

    /// A set of the given ids; ids outside the vocabulary are left out.
    package init(vocabularySize: Int, tokens: some Sequence<Int32>) {
        self.init(vocabularySize: vocabularySize)
        for token in tokens where token >= 0 && Int(token) < vocabularySize { insert(token) }
    }

    package mutating func insert(_ token: Int32) {
        words[Int(token) / 32] |= 1 << UInt32(token % 32)
    }

    package func contains(_ token: Int32) -> Bool {
        words[Int(token) / 32] >> UInt32(token % 32) & 1 == 1
    }
}
