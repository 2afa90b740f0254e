import Sampling
import Scheduling

/// One of the `n` completions of a request: how its next token is chosen, and its text. The scheduler has its tokens.
struct Choice {
    let id: SequenceID
    let request: RequestKey
    /// Which of the request's choices.
    let index: Int
    let promptCount: Int
    let adapters: RequestAdapters?
    /// Tokens generated so far.
    var outputCount = 0
    let sampler: TokenSampler
    var processor: LogitsProcessor
    var output: OutputAssembler
    /// Log probabilities of the prompt's tokens so far, when asked for; the first entry is always nil.
    var promptLogprobs: [PositionLogprobs?]?
}

/// Names a request inside the engine; unlike the client's id it is always unique.
struct RequestKey: Hashable, Sendable {
    let rawValue: UInt64
}
