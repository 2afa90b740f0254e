import Sampling
import Scheduling

/// One of the `n` completions of a request: its tokens, how the next one is chosen, and its text.
struct Choice {
    let id: SequenceID
    let request: RequestKey
    /// Which of the request's choices.
    let index: Int
    /// Prompt and output.
    var tokens: [Int32]
    let promptCount: Int
    let sampler: TokenSampler
    var processor: LogitsProcessor
    var output: OutputAssembler
    /// Log probabilities of the prompt's tokens so far, when asked for; the first entry is always nil.
    var promptLogprobs: [PositionLogprobs?]?

    var outputTokens: ArraySlice<Int32> { tokens[promptCount...] }
    var outputCount: Int { tokens.count - promptCount }
}

/// Names a request inside the engine; unlike the client's id it is always unique.
struct RequestKey: Hashable, Sendable {
    let rawValue: UInt64
}
