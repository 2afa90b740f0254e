import Sampling
import Scheduling

/// One of the `n` completions of a request: how its next token is chosen, and its text. The scheduler has its tokens.
struct Choice {
    let id: SequenceID
    let request: RequestKey
    /// Which of the request's choices.
    let index: Int
    let promptCount: Int
    /// Positions before the prompt's first token.
    let virtualCount: Int
    let adapters: RequestAdapters?
    /// Positions whose inputs are not tokens, in order.
    let embedded: [EmbeddedInput]
    /// Tokens generated so far.
    var outputCount = 0
    let sampler: TokenSampler
    var processor: LogitsProcessor
    var output: OutputAssembler
    /// Log probabilities of the prompt's tokens so far, when asked for; the first entry is always nil.
    var promptLogprobs: [PositionLogprobs?]?

    /// The first position of the output.
    var outputStart: Int { virtualCount + promptCount }
}

/// Names a request inside the engine; unlike the client's id it is always unique.
struct RequestKey: Hashable, Sendable {
    let rawValue: UInt64
}
