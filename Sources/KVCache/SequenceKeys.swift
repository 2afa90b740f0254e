/// The content of a sequence as the cache sees it: its root, its tokens, and what else shaped its keys and values.
package struct SequenceKeys: Sendable {
    /// Positions whose inputs are elements of an embedding instead of tokens.
    package struct EmbeddedSpan: Sendable {
        package let positions: Range<Int>
        /// Stands for the embedding's digest; see `PositionKey.embedding`.
        package let content: UInt32
        /// Which element the first position takes.
        package let offset: UInt32

        package init(positions: Range<Int>, content: UInt32, offset: UInt32 = 0) {
            self.positions = positions
            self.content = content
            self.offset = offset
        }
    }

    package let root: RootKey
    package private(set) var tokens: [Int32]
    /// Weights from `adapterStart` on; before it those of the base model (Activated LoRA; other adapters start at 0).
    package let adapterState: UInt64
    package let adapterStart: Int
    /// In order, not overlapping.
    package let embeddings: [EmbeddedSpan]

    package init(
        tokens: [Int32], root: RootKey = RootKey(), adapterState: UInt64 = 0, adapterStart: Int = 0,
        embeddings: [EmbeddedSpan] = []
    ) {
        self.tokens = tokens
        self.root = root
        self.adapterState = adapterState
        self.adapterStart = adapterStart
        self.embeddings = embeddings
    }

    package var count: Int { tokens.count }

    package mutating func append(_ token: Int32) { tokens.append(token) }

    /// The keys of `range`, into the front of `buffer`. O(range).
    func copy(_ range: Range<Int>, into buffer: UnsafeMutableBufferPointer<PositionKey>) {
        for (index, position) in range.enumerated() {
            let state = position >= adapterStart ? adapterState : 0
            buffer.initializeElement(at: index, to: PositionKey(token: tokens[position], state: state))
        }
        for span in embeddings where span.positions.overlaps(range) {
            for position in span.positions.clamped(to: range) {
                let offset = span.offset + UInt32(position - span.positions.lowerBound)
                buffer[position - range.lowerBound] = .embedding(
                    span.content, offset: offset, state: position >= adapterStart ? adapterState : 0)
            }
        }
    }
}
