import Compute

/// The tokens of a step that adapters change, cut into pieces of work.
struct AdapterBatch {
    /// Tokens with the same adapters, few enough for one piece of work.
    struct Chunk {
        let tokenStart: Int
        let tokenCount: Int
        let terms: [Term]
    }

    struct Term {
        let adapter: LlamaAdapter
        let scale: Float
    }

    /// Most tokens of a chunk: more would leave workers idle, fewer would read the weights more often.
    static let chunkTokens = 16

    /// First token with adapters; all after it have some.
    let firstToken: Int
    let chunks: [Chunk]
    /// Longest vector between A and B that a token needs.
    let vectorWidth: Int

    /// Nil when no token has an adapter. O(chunks × layers).
    init?(_ batch: ForwardBatch) {
        guard let first = batch.adapterRuns.first else { return nil }
        firstToken = first.tokenStart
        var chunks: [Chunk] = []
        var width = 0
        for run in batch.adapterRuns {
            let terms = run.terms.compactMap { term in
                (term.adapter as? LlamaAdapter).map { Term(adapter: $0, scale: term.scale) }
            }
            width = max(width, terms.reduce(0) { $0 + $1.adapter.widestGroup })
            for start in stride(from: 0, to: run.tokenCount, by: Self.chunkTokens) {
                chunks.append(
                    Chunk(
                        tokenStart: run.tokenStart + start, tokenCount: min(Self.chunkTokens, run.tokenCount - start),
                        terms: terms))
            }
        }
        self.chunks = chunks
        vectorWidth = width
    }
}
