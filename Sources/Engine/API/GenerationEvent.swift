public import Sampling

/// What a running request reports, in order: once `started`, then `delta`s until every choice has finished.
public enum GenerationEvent: Sendable {
    case started(PromptReport)
    case delta(GenerationDelta)
}

/// Facts about the prompt, known when its first token is generated.
public struct PromptReport: Sendable {
    public let promptTokens: Int
    /// Prompt tokens whose keys and values were found in the cache.
    public let cachedTokens: Int
    /// Positions that the request's adapters put before the prompt; they count towards the context length only.
    public let virtualTokens: Int
    /// What became of the request's adapters; nil when it asks for none.
    public let adapters: AdapterUse?
    /// One entry for each prompt token when asked for; the first is nil, since nothing predicts it.
    public let logprobs: [PositionLogprobs?]?
}

/// Where the adapters of a request begin to count.
public enum AdapterUse: Sendable, Equatable {
    /// From this position of the prompt on.
    case from(Int)
    /// Nowhere: the prompt does not hold the adapter's invocation, so this is the base model's output.
    case notInvoked
}

/// New output of one choice.
public struct GenerationDelta: Sendable {
    /// Which of the `n` choices.
    public let index: Int
    /// Text that became final; may be empty while a character or a possible stop string is incomplete.
    public let text: String
    public let tokens: [Int32]
    /// One entry for each of `tokens` when asked for, else empty.
    public let logprobs: [PositionLogprobs]
    /// Set on the last delta of the choice.
    public let finish: Finish?
}

/// How a choice ended.
public struct Finish: Sendable, Equatable {
    public let reason: FinishReason
    /// What stopped it, when that was a stop string or a stop token of the request.
    public let stopReason: StopReason?

    public init(_ reason: FinishReason, stopReason: StopReason? = nil) {
        self.reason = reason
        self.stopReason = stopReason
    }
}

/// vLLM's `finish_reason`.
public enum FinishReason: String, Sendable, CaseIterable {
    case stop
    case length
    case abort
    case error
}

/// vLLM's `stop_reason`.
public enum StopReason: Sendable, Equatable {
    case string(String)
    case token(Int32)
}

/// Events of one request; ending the iteration early aborts the request.
public typealias GenerationStream = AsyncThrowingStream<GenerationEvent, any Error>
