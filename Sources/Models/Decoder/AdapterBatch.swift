import Compute

/// The tokens of a step that adapters change, cut into pieces of work, and what these adapters need.
final class AdapterBatch {
    /// Rows with the same adapters, few enough for one piece of work.
    struct Chunk {
        let start: Int
        let count: Int
        let terms: [Term]
    }

    struct Term {
        let adapter: DecoderAdapter
        let scale: Float
    }

    /// Most rows of a chunk: more would leave workers idle, fewer would read the weights more often.
    static let chunkRows = 16

    /// First token with adapters; all after it have some.
    let firstToken: Int
    let chunks: [Chunk]
    /// The same for rows of logits.
    let logitChunks: [Chunk]
    /// For each token from the first on its place in `chunks`.
    private let places: [Int32]

    /// Longest vector between A and B that a token needs.
    private(set) var vectorWidth = 0
    /// Whether there are products other than the model's.
    private(set) var hasProducts = false
    private(set) var hasNorms = false
    private(set) var hasEmbeddings = false
    private(set) var hasHeadRows = false
    private(set) var hasHead = false
    /// Most tokens whose rows of the head an adapter replaces.
    private(set) var headRowCount = 0

    /// Nil when no token has an adapter. O(tokens with adapters + rows of logits).
    init?(_ batch: ForwardBatch) {
        guard let first = batch.adapterRuns.first else { return nil }
        firstToken = first.tokenStart
        var chunks: [Chunk] = []
        var places: [Int32] = []
        for run in batch.adapterRuns {
            let terms = run.terms.compactMap { term in
                (term.adapter as? DecoderAdapter).map { Term(adapter: $0, scale: term.scale) }
            }
            for start in stride(from: 0, to: run.tokenCount, by: Self.chunkRows) {
                let count = min(Self.chunkRows, run.tokenCount - start)
                places.append(contentsOf: repeatElement(Int32(chunks.count), count: count))
                chunks.append(Chunk(start: run.tokenStart + start, count: count, terms: terms))
            }
        }
        self.chunks = chunks
        self.places = places
        logitChunks = Self.logitChunks(batch)
        for run in batch.adapterRuns { note(run.terms.compactMap { $0.adapter as? DecoderAdapter }) }
    }

    /// Rows of logits one after another whose tokens have the same adapters.
    private static func logitChunks(_ batch: ForwardBatch) -> [Chunk] {
        var chunks: [Chunk] = []
        var run = 0
        let first = batch.adapterRuns.first?.tokenStart ?? 0
        for (row, token) in batch.logitRows.enumerated() where Int(token) >= first {
            guard let next = Self.run(of: Int(token), batch.adapterRuns, near: run) else { continue }
            if next == run, let last = chunks.last, last.start + last.count == row, last.count < chunkRows {
                chunks[chunks.count - 1] = Chunk(start: last.start, count: last.count + 1, terms: last.terms)
            } else {
                let terms = batch.adapterRuns[next].terms.compactMap { term in
                    (term.adapter as? DecoderAdapter).map { Term(adapter: $0, scale: term.scale) }
                }
                chunks.append(Chunk(start: row, count: 1, terms: terms))
            }
            run = next
        }
        return chunks
    }

    /// The run that a token is in. Rows are most often in the order of their tokens.
    private static func run(of token: Int, _ runs: [AdapterRun], near place: Int) -> Int? {
        func holds(_ run: AdapterRun) -> Bool {
            run.tokenStart <= token && token < run.tokenStart + run.tokenCount
        }
        if let place = runs[place...].firstIndex(where: holds) { return place }
        return runs[..<place].firstIndex(where: holds)
    }

    private func note(_ adapters: [DecoderAdapter]) {
        vectorWidth = max(vectorWidth, adapters.reduce(0) { $0 + $1.widestVector })
        for adapter in adapters {
            hasProducts = hasProducts || adapter.hasProducts
            hasNorms = hasNorms || adapter.hasNorms
            hasEmbeddings = hasEmbeddings || adapter.embedding != nil
            hasHead = hasHead || adapter.groups.last.map { !$0.isEmpty } ?? false
            headRowCount = max(headRowCount, adapter.headRows?.scratchCount ?? 0)
        }
        hasHeadRows = headRowCount > 0
    }

    /// The adapters of a token; none for the model's own.
    @inline(__always)
    func terms(of token: Int) -> [Term] { token < firstToken ? [] : chunks[Int(places[token - firstToken])].terms }
}
