import Checkpoints
public import Sampling
import Synchronization

/// A model in your own program: load it once, generate from any task.
///
///     let llm = try await LLM()
///     print(try await llm.generate(.chat([.user("Who are you?")])).text)
public final class LLM: Sendable {
    /// The engine behind it, for requests with full control.
    public let engine: InferenceEngine

    /// Prompts of one call that are in the engine at a time: more than it runs at once, less than its queue holds.
    private let window: Int

    /// Loads a model.
    ///
    /// - Parameters:
    ///   - model: a folder, or `org/model[@revision]` in the HuggingFace cache; nil is the demo model.
    ///   - configuration: limits and arithmetic; its `model` counts when `model` is nil.
    public convenience init(
        model: String? = nil, configuration: EngineConfiguration = EngineConfiguration(),
        progress: @escaping @Sendable (LoadProgress) -> Void = { _ in }
    ) async throws {
        var configuration = configuration
        if let model { configuration.model = model }
        self.init(engine: try await InferenceEngine.load(configuration, progress: progress))
    }

    /// Uses an engine that is loaded already, and that others may use too.
    public init(engine: InferenceEngine) {
        self.engine = engine
        window = engine.callWindow
    }

    /// The adapters that prompts can name.
    public var adapters: AdapterRegistry { engine.adapters }

    /// Completes one prompt.
    ///
    /// - Parameters:
    ///   - adapter: the name of a loaded adapter, or a folder, or `org/adapter[@revision]` in the HuggingFace cache; what is
    ///     not loaded yet is loaded when it is first used, and kept.
    ///   - requiresInvocation: whether a prompt that does not invoke an Activated LoRA is refused; the base model answers it
    ///     otherwise.
    public func generate(
        _ prompt: Prompt, sampling: SamplingParameters? = nil, adapter: String? = nil, requiresInvocation: Bool = false
    ) async throws -> GenerationResult {
        let adapters = Adapters(adapter, requiresInvocation: requiresInvocation)
        return try await result(prompt, sampling, adapters) { _ in }
    }

    /// Completes several prompts together; results are in the order of the prompts.
    ///
    /// The first prompt that fails ends the call; the others are aborted.
    ///
    /// - Parameter adapters: the adapter of each prompt, nil for the base model; missing ones at the end are nil.
    public func generate(
        _ prompts: [Prompt], sampling: SamplingParameters? = nil, adapters: [String?] = [],
        requiresInvocation: Bool = false, progress: (@Sendable (BatchProgress) -> Void)? = nil
    ) async throws -> [GenerationResult] {
        try await results(
            prompts, sampling, adapters.map { Adapters($0, requiresInvocation: requiresInvocation) }, progress)
    }

    /// Completes several prompts together, each with the sum of any adapters.
    ///
    /// - Parameter adapterSums: the adapters of each prompt with their scales, none for the base model; missing ones at the
    ///   end are none.
    public func generate(
        _ prompts: [Prompt], sampling: SamplingParameters? = nil, adapterSums: [[AdapterSelection]],
        requiresInvocation: Bool = false, progress: (@Sendable (BatchProgress) -> Void)? = nil
    ) async throws -> [GenerationResult] {
        let adapters = adapterSums.map { Adapters(selections: $0, requiresInvocation: requiresInvocation) }
        return try await results(prompts, sampling, adapters, progress)
    }

    /// The text of one completion as it is generated. Ending the iteration early stops the generation.
    ///
    /// - Parameters:
    ///   - adapter: the name of a loaded adapter.
    ///   - requiresInvocation: whether a prompt that does not invoke an Activated LoRA is refused.
    public func stream(
        _ prompt: Prompt, sampling: SamplingParameters? = nil, adapter: String? = nil, requiresInvocation: Bool = false
    ) throws -> AsyncThrowingStream<String, any Error> {
        var sampling = sampling ?? engine.defaults
        sampling.n = 1
        let events = try events(prompt, sampling: sampling, adapter: adapter, requiresInvocation: requiresInvocation)
        let (stream, continuation) = AsyncThrowingStream<String, any Error>.makeStream()
        let task = Task {
            do {
                for try await case .delta(let delta) in events where !delta.text.isEmpty {
                    continuation.yield(delta.text)
                }
                continuation.finish()
            } catch {
                continuation.finish(throwing: error)
            }
        }
        continuation.onTermination = { _ in task.cancel() }
        return stream
    }

    /// Everything that happens to a request, as it happens.
    public func events(
        _ prompt: Prompt, sampling: SamplingParameters? = nil, adapter: String? = nil, requiresInvocation: Bool = false
    ) throws -> GenerationStream {
        let adapters = Adapters(adapter, requiresInvocation: requiresInvocation)
        return try start(prompt, try tokens(prompt), sampling ?? engine.defaults, adapters)
    }

    /// The token ids of a prompt, as the model sees them; embeddings have none.
    public func tokens(_ prompt: Prompt) throws -> [Int32] {
        switch prompt {
        case .tokens(let tokens): tokens
        case .embeddings: []
        case .text(let text): engine.text.encode(text, addSpecialTokens: true)
        case .chat(let messages):
            // The template writes the special tokens itself.
            engine.text.encode(
                try engine.text.renderChat(
                    messages: .array(messages.map(\.json)), tools: nil, documents: nil, addGenerationPrompt: true,
                    continueFinalMessage: false, kwargs: [:], template: nil), addSpecialTokens: false)
        }
    }

    /// What one prompt asks of adapters.
    private struct Adapters: Sendable {
        var selections: [AdapterSelection] = []
        var requiresInvocation = false

        init(selections: [AdapterSelection] = [], requiresInvocation: Bool = false) {
            self.selections = selections
            self.requiresInvocation = requiresInvocation
        }

        init(_ name: String?, requiresInvocation: Bool) {
            self.init(selections: name.map { [AdapterSelection($0)] } ?? [], requiresInvocation: requiresInvocation)
        }
    }

    /// What came of one prompt of several.
    private struct Finished: Sendable {
        let index: Int
        let result: GenerationResult
    }

    private func results(
        _ prompts: [Prompt], _ sampling: SamplingParameters?, _ adapters: [Adapters],
        _ progress: (@Sendable (BatchProgress) -> Void)?
    ) async throws -> [GenerationResult] {
        let counter = ProgressCounter(total: prompts.count, report: progress)
        return try await withThrowingTaskGroup(of: Finished.self) { group in
            var results = [GenerationResult?](repeating: nil, count: prompts.count)
            for (index, prompt) in prompts.enumerated() {
                if index >= window, let one = try await group.next() { results[one.index] = one.result }
                group.addTask {
                    let chosen = index < adapters.count ? adapters[index] : Adapters()
                    let result = try await self.result(prompt, sampling, chosen, onTokens: counter.generated)
                    counter.finished()
                    return Finished(index: index, result: result)
                }
            }
            for try await one in group { results[one.index] = one.result }
            return results.compactMap(\.self)
        }
    }

    private func result(
        _ prompt: Prompt, _ sampling: SamplingParameters?, _ adapters: Adapters, onTokens: (Int) -> Void
    ) async throws -> GenerationResult {
        let names = adapters.selections.map(\.name)
        for name in names { try await engine.adapters.loadFolder(name) }
        let lease = try await engine.adapters.prepare(names)
        let tokens = try tokens(prompt)
        let sampling = sampling ?? engine.defaults
        return try await GenerationResult(
            start(prompt, tokens, sampling, adapters, lease), prompt: tokens, choices: sampling.n, onTokens: onTokens)
    }

    private func start(
        _ prompt: Prompt, _ tokens: [Int32], _ sampling: SamplingParameters, _ adapters: Adapters,
        _ lease: AdapterLease? = nil
    ) throws -> GenerationStream {
        var request = GenerationRequest(id: "llm", prompt: tokens, sampling: sampling)
        if case .embeddings(let embeddings) = prompt { request.embeddings = embeddings }
        request.adapters = adapters.selections
        request.lease = lease
        request.requiresInvocation = adapters.requiresInvocation
        return try engine.generate(request)
    }
}

/// Adds up what the prompts of one call have done.
private final class ProgressCounter: Sendable {
    private let total: Int
    private let report: (@Sendable (BatchProgress) -> Void)?
    private let counts = Mutex((finished: 0, tokens: 0))

    init(total: Int, report: (@Sendable (BatchProgress) -> Void)?) {
        self.total = total
        self.report = report
    }

    func generated(_ tokens: Int) { counts.withLock { $0.tokens += tokens } }

    func finished() {
        let counts = counts.withLock { counts in
            counts.finished += 1
            return counts
        }
        report?(
            BatchProgress(
                finishedPrompts: counts.finished, totalPrompts: total, generatedTokens: counts.tokens))
    }
}
