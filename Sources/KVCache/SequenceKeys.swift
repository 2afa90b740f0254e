/// The content of a sequence as the cache sees it: its salt and prefix, its tokens, and what else shaped its keys and values.
package struct SequenceKeys: Sendable {
    /// Positions whose inputs are elements of an embedding instead of tokens.
    package struct EmbeddedSpan: Sendable {
        package let positions: Range<Int>
        /// Stands for the embedding's digest; see `PositionKey.embedding`.
        package let content: UInt64
        /// Which element the first position takes.
        package let offset: Int

        package init(positions: Range<Int>, content: UInt64, offset: Int = 0) {
            self.positions = positions
            self.content = content
            self.offset = offset
        }
    }

    /// Positions whose keys and values are those of a prefix, instead of being computed.
    package struct Prefix: Sendable, Equatable {
        package let id: PrefixID
        /// The first ones of the sequence.
        package let positions: Int

        package init(_ id: PrefixID, positions: Int) {
            self.id = id
            self.positions = positions
        }
    }

    /// In place of the token at a position that has none: one of a prefix, or of an embedding.
    package static let noToken: Int32 = -1

    package let salt: String?
    package let prefix: Prefix?
    package private(set) var tokens: [Int32]
    /// Weights from `adapterStart` on; before it those of the base model (Activated LoRA; other adapters start at 0).
    package let adapterState: UInt64
    package let adapterStart: Int
    /// In order, not overlapping.
    package let embeddings: [EmbeddedSpan]

    package init(
        tokens: [Int32], salt: String? = nil, prefix: Prefix? = nil, adapterState: UInt64 = 0, adapterStart: Int = 0,
        embeddings: [EmbeddedSpan] = []
    ) {
        self.tokens = tokens
        self.salt = salt
        self.prefix = prefix
        self.adapterState = adapterState
        self.adapterStart = adapterStart
        self.embeddings = embeddings
    }

    package var root: RootKey { RootKey(salt: salt, prefix: prefix?.id) }

    package var count: Int { tokens.count }

    package mutating func append(_ token: Int32) { tokens.append(token) }

    /// The keys of `range`, into the front of `buffer`. O(range).
    func copy(_ range: Range<Int>, into buffer: UnsafeMutableBufferPointer<PositionKey>) {
        for (index, position) in range.enumerated() {
            let state = position >= adapterStart ? adapterState : 0
            buffer.initializeElement(at: index, to: PositionKey(token: tokens[position], state: state))
        }
        if let prefix, range.lowerBound < prefix.positions {
            // No weights took part in these.
            for position in range.clamped(to: 0..<prefix.positions) {
                buffer[position - range.lowerBound] = .embedding(prefix.id.rawValue, offset: position)
            }
        }
        for span in embeddings where span.positions.overlaps(range) {
            for position in span.positions.clamped(to: range) {
                let offset = span.offset + position - span.positions.lowerBound
                buffer[position - range.lowerBound] = .embedding(
                    span.content, offset: offset, state: position >= adapterStart ? adapterState : 0)
            }
        }
    }
}
