import Sampling
import Scheduling

/// One of the `n` completions of a request: how its next token is chosen, and its text. The scheduler has its tokens.
///
/// An object, as every token changes it in place.
final class Choice {
    let id: SequenceID
    let request: RunningRequest
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

    init(
        id: SequenceID, index: Int, of submission: Submission, request: RunningRequest, sampler: TokenSampler,
        processor: LogitsProcessor, output: OutputAssembler
    ) {
        self.id = id
        self.request = request
        self.index = index
        promptCount = submission.promptCount
        virtualCount = submission.virtualCount
        adapters = submission.adapters
        embedded = submission.embedded
        self.sampler = sampler
        self.processor = processor
        self.output = output
        promptLogprobs = submission.sampling.promptLogprobs != nil && index == 0 ? [nil] : nil
    }

    /// The first position of the output.
    var outputStart: Int { virtualCount + promptCount }
}

/// Names a request inside the engine; unlike the client's id it is always unique.
struct RequestKey: Hashable, Sendable {
    let rawValue: UInt64
}
