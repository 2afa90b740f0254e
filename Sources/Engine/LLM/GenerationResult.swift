public import Sampling

/// Everything that came of one prompt.
public struct GenerationResult: Sendable {
    public let promptTokens: [Int32]
    /// Prompt tokens whose keys and values were found in the cache.
    public let cachedTokens: Int
    /// Positions that the adapter put before the prompt.
    public let virtualTokens: Int
    /// What became of the adapter; nil without one.
    public let adapterUse: AdapterUse?
    /// One entry for each prompt token when asked for; the first is nil.
    public let promptLogprobs: [PositionLogprobs?]?
    /// One for each of the `n` choices, in order.
    public let outputs: [CompletionOutput]

    /// The text of the first choice.
    public var text: String { outputs.first?.text ?? "" }
}

/// One completion of a prompt.
public struct CompletionOutput: Sendable {
    public let index: Int
    public internal(set) var text = ""
    public internal(set) var tokens: [Int32] = []
    /// One entry for each token when asked for, else empty.
    public internal(set) var logprobs: [PositionLogprobs] = []
    /// How the completion ended.
    public internal(set) var finish: Finish?
}

/// How far a call with several prompts has come.
public struct BatchProgress: Sendable {
    public let finishedPrompts: Int
    public let totalPrompts: Int
    /// Tokens generated so far, over all prompts.
    public let generatedTokens: Int
}

extension GenerationResult {
    /// Collects the events of a request.
    init(_ stream: GenerationStream, prompt: [Int32], choices: Int, onTokens: (Int) -> Void = { _ in }) async throws {
        var report: PromptReport?
        var outputs = (0..<choices).map { CompletionOutput(index: $0) }
        for try await event in stream {
            switch event {
            case .started(let started): report = started
            case .delta(let delta):
                outputs[delta.index].text += delta.text
                outputs[delta.index].tokens += delta.tokens
                outputs[delta.index].logprobs += delta.logprobs
                outputs[delta.index].finish = delta.finish
                onTokens(delta.tokens.count)
            }
        }
        try Task.checkCancellation()
        promptTokens = prompt
        cachedTokens = report?.cachedTokens ?? 0
        virtualTokens = report?.virtualTokens ?? 0
        adapterUse = report?.adapters
        promptLogprobs = report?.logprobs
        self.outputs = outputs
    }
}
