internal import KVCache
import Models

/// The adapters of one request, decided when it comes and never again.
struct RequestAdapters: Sendable {
    /// Held until the request ends.
    let versions: [AdapterVersion]
    /// Those that change weights; empty for the base model's own.
    let terms: [AdapterTerm]
    /// The first position that is computed with them, counting virtual tokens.
    let start: Int
    /// Stands for their digests and scales; 0 when there are none.
    let state: UInt64
    /// What stands before the prompt, if anything.
    let prompt: VirtualPrompt?
    let use: AdapterUse

    /// Size of the vocabulary with the adapters' own tokens.
    var vocabularySize: Int { versions.reduce(0) { max($0, $1.packed.vocabularySize) } }
}

/// Virtual tokens of one request.
struct VirtualPrompt: Sendable {
    enum Content: Sendable {
        /// Computed like tokens, with the request's weights.
        case embeddings(EmbeddedInput)
        /// In the cache already.
        case prefix(PrefixID)
    }

    /// Positions before the prompt's first token.
    let count: Int
    let content: Content
}

/// Positions of a sequence whose inputs are rows of embeddings.
struct EmbeddedInput: Sendable {
    let positions: Range<Int>
    let embeddings: InputEmbeddings
    /// Stands for the embeddings' content; see `PositionKey.embedding`.
    let content: UInt64
}
