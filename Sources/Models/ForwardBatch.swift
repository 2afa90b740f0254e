/// The work of one step: tokens of several sequences laid out one after another.
///
/// Token i of a slice has position `contextLength - tokenCount + i` and KV slot
/// `table[position / blockSize] * blockSize + position % blockSize`, table being the slice's part of `blockTables`.
package struct ForwardBatch: Sendable {
    /// Token ids of all slices; -1 where `embedded` has the input.
    package var tokens: [Int32] = []
    /// Position of each token in its sequence.
    package var positions: [Int32] = []
    package var sequences: [SequenceSlice] = []
    /// Block tables of the slices, one after another.
    package var blockTables: [Int32] = []
    /// Indices into `tokens` whose logits are wanted, in the order in which they are wanted.
    package var logitRows: [Int32] = []
    /// Tokens that are computed with adapters: the last ones of the batch, without a gap.
    package var adapterRuns: [AdapterRun] = []
    /// Tokens whose inputs are rows of embeddings, in order.
    package var embedded: [EmbeddedRows] = []

    package init() {}

    package init(
        tokens: [Int32], positions: [Int32], sequences: [SequenceSlice], blockTables: [Int32], logitRows: [Int32]
    ) {
        self.tokens = tokens
        self.positions = positions
        self.sequences = sequences
        self.blockTables = blockTables
        self.logitRows = logitRows
    }

    /// The embeddings that a token's input is a row of. O(log slices).
    func embeddedRows(of token: Int) -> EmbeddedRows? {
        var low = 0
        var high = embedded.count
        while low < high {
            let middle = (low + high) / 2
            if embedded[middle].tokenStart + embedded[middle].tokenCount <= token {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low < embedded.count && embedded[low].tokenStart <= token ? embedded[low] : nil
    }

    /// Distance of two rows of logits: the largest vocabulary of the model and the batch's adapters.
    package func logitWidth(_ shape: ModelShape) -> Int {
        adapterRuns.reduce(shape.vocabularySize) { width, run in
            run.terms.reduce(width) { max($0, $1.adapter.vocabularySize) }
        }
    }
}

/// Consecutive tokens, of any sequences, with the same adapters.
package struct AdapterRun: Sendable {
    package var tokenStart: Int
    package var tokenCount: Int
    /// Their changes are added up in this order.
    package var terms: [AdapterTerm]

    package init(tokenStart: Int, tokenCount: Int, terms: [AdapterTerm]) {
        self.tokenStart = tokenStart
        self.tokenCount = tokenCount
        self.terms = terms
    }
}

/// An adapter with the weight that a request gives it.
package struct AdapterTerm: Sendable {
    package let adapter: any PackedAdapter
    package let scale: Float

    package init(_ adapter: any PackedAdapter, scale: Float = 1) {
        self.adapter = adapter
        self.scale = scale
    }
}

/// The part of a batch that belongs to one sequence.
package struct SequenceSlice: Sendable {
    /// First token in `ForwardBatch.tokens`.
    package var tokenStart: Int32
    package var tokenCount: Int32
    /// KV entries of the sequence after the step.
    package var contextLength: Int32
    /// First entry in `ForwardBatch.blockTables`.
    package var blockTableStart: Int32

    package init(tokenStart: Int32, tokenCount: Int32, contextLength: Int32, blockTableStart: Int32) {
        self.tokenStart = tokenStart
        self.tokenCount = tokenCount
        self.contextLength = contextLength
        self.blockTableStart = blockTableStart
    }
}
