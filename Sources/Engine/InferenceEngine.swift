import Checkpoints
import Compute
import Foundation
internal import KVCache
public import Sampling
import Scheduling
import Synchronization

/// A loaded model that serves any number of requests at once; safe to use from any thread.
///
/// One thread of its own runs the steps. Everything slow about a request (tokens, templates, validation) is done by the
/// caller before `generate`, which only hands it over.
public final class InferenceEngine: Sendable {
    public let model: ModelInformation
    public let text: TextProcessor
    /// Parameters for requests that leave them open: the model's generation config over the usual defaults.
    public let defaults: SamplingParameters
    /// The adapters that requests can name.
    public let adapters: AdapterRegistry

    private let inbox: Inbox<EngineMessage>
    private let recorder: StatisticsRecorder
    private let maxQueuedRequests: Int
    /// Requests that one caller has in the engine at a time: more than it runs at once, less than its queue holds.
    let callWindow: Int
    private let seeds: SeedSource
    private let state = Mutex(State())

    private struct State {
        var isAccepting = true
        var isRunning = true
        var nextKey: UInt64 = 0
        var requestsInFlight: Set<RequestKey> = []
        var whenIdle: [CheckedContinuation<Void, Never>] = []
    }

    /// Loads a model and starts its engine thread.
    ///
    /// - Throws: `CheckpointError`, `TokenizerError`, `TemplateError` or `EngineError`, each saying what to do about it.
    public static func load(
        _ configuration: EngineConfiguration, progress: @escaping @Sendable (LoadProgress) -> Void = { _ in }
    ) async throws -> InferenceEngine {
        try await withCheckedThrowingContinuation { continuation in
            let thread = Thread {
                continuation.resume(
                    with: Result { try InferenceEngine(configuration, progress: progress) })
            }
            thread.name = "martlet-load"
            thread.stackSize = 8 << 20
            thread.start()
        }
    }

    private init(_ configuration: EngineConfiguration, progress: @escaping @Sendable (LoadProgress) -> Void) throws {
        let loaded = try ModelLoader(configuration: configuration, progress: progress).load()
        model = loaded.information
        text = loaded.text
        defaults = loaded.defaults
        maxQueuedRequests = configuration.maxQueuedRequests
        callWindow = max(1, min(configuration.maxSequences * 2, configuration.maxQueuedRequests))
        seeds = SeedSource(configuration.seed)
        recorder = StatisticsRecorder(maxModelLength: model.maxModelLength)
        inbox = Inbox()
        adapters = AdapterRegistry(
            loaded.runner, text: text, reservedNames: model.servedNames,
            memory: AdapterMemory(
                inbox: inbox, cache: loaded.scheduler.cache, maxModelLength: model.maxModelLength,
                maxBatchedTokens: configuration.maxBatchedTokens),
            recorder: recorder, precomputesPrompts: configuration.precomputesSoftPrompts)
        start(loaded, configuration)
    }

    private func start(_ loaded: LoadedModel, _ configuration: EngineConfiguration) {
        let core = EngineCore(
            runner: loaded.runner, pool: loaded.pool, tokenizer: loaded.text.tokenizer, endTokens: loaded.endTokens,
            scheduler: loaded.scheduler, inbox: inbox, recorder: recorder,
            cacheIdleTimeout: configuration.cacheIdleTimeout, cacheEvents: configuration.cacheEvents)
        core.onPressure = { [weak adapters] in adapters?.relieve() }
        nonisolated(unsafe) let handedOver = core
        let thread = Thread { handedOver.run() }
        thread.name = "martlet-engine"
        thread.stackSize = 8 << 20
        thread.qualityOfService = .userInitiated
        thread.start()
    }

    deinit { inbox.post(.stop) }

    // MARK: Requests

    /// Starts a request. Its events come as a stream; ending the iteration early, or cancelling its task, aborts it.
    ///
    /// - Throws: `.invalidRequest` naming the parameter, `.overloaded` past the queue limit, `.shuttingDown`.
    public func generate(_ request: GenerationRequest) throws(EngineError) -> GenerationStream {
        let chosen = try adapters.resolve(
            request.adapters, request.lease, prompt: request.prompt, requiresInvocation: request.requiresInvocation)
        let maxTokens = try validate(request, chosen)
        let badWords = try tokens(ofBadWords: request.sampling.badWords)
        let key = try enter()
        let (stream, continuation) = GenerationStream.makeStream()
        continuation.onTermination = { termination in
            if case .cancelled = termination { self.inbox.post(.abort(key)) }
            self.leave(key)
        }
        let submission = Submission(
            key: key, id: request.id, prompt: request.prompt,
            promptInput: input(request.embeddings, from: chosen?.prompt?.count ?? 0), sampling: request.sampling,
            maxTokens: maxTokens,
            adapters: chosen,
            adapterUse: request.adapters.isEmpty ? nil : chosen?.use ?? .notInvoked,
            adapterNames: request.adapters.map(\.name), cacheSalt: request.cacheSalt, readsCache: request.readsCache,
            priority: request.priority,
            tenant: request.tenant,
            seed: request.sampling.seed ?? seeds.next(), badWords: badWords, arrived: .now, continuation: continuation)
        guard inbox.post(.submit(submission)) else {
            recorder.leftQueue()
            continuation.finish(throwing: EngineError.shuttingDown)
            throw .shuttingDown
        }
        return stream
    }

    /// Ends the requests with this id, without an error.
    public func abort(_ id: String) { inbox.post(.abortNamed(id)) }

    /// Forgets all cached content: nothing computed before this call is reused after it.
    ///
    /// Requests that are running go on undisturbed.
    public func resetPrefixCache() async {
        await withCheckedContinuation { continuation in
            if !inbox.post(.resetPrefixCache(continuation)) { continuation.resume() }
        }
    }

    private func validate(_ request: GenerationRequest, _ adapters: RequestAdapters?) throws(EngineError) -> Int {
        let vocabularySize = adapters?.vocabularySize ?? model.vocabularySize
        do {
            try request.sampling.validate(vocabularySize: vocabularySize)
        } catch {
            throw .invalidRequest(parameter: error.parameter, message: error.message)
        }
        if let embeddings = request.embeddings {
            try validate(embeddings, request)
        } else {
            try validate(prompt: request.prompt, vocabularySize: vocabularySize)
        }
        let virtual = adapters?.prompt?.count ?? 0
        let room = model.maxModelLength - virtual - request.promptCount
        let wanted = request.sampling.maxTokens
        guard room >= 1, request.shortensOutput || wanted ?? 1 <= room else {
            let before = virtual > 0 ? "\(virtual) of the adapter before the prompt, " : ""
            let output =
                wanted.map { " (\(before)\(request.promptCount) in the prompt, \($0) in the completion)" } ?? ""
            throw .invalidRequest(
                parameter: room >= 1 ? "max_tokens" : "prompt",
                message: """
                    This model's maximum context length is \(model.maxModelLength) tokens. However, you requested \
                    \(virtual + request.promptCount + (wanted ?? 1)) tokens\(output). Please reduce the length of the \
                    prompt or the completion.
                    """)
        }
        return min(wanted ?? room, room)
    }

    private func validate(_ embeddings: PromptEmbeddings, _ request: GenerationRequest) throws(EngineError) {
        guard request.prompt.isEmpty else {
            throw .invalidRequest(
                parameter: "prompt_embeds", message: "A prompt is either tokens or embeddings, not both.")
        }
        guard embeddings.width == model.hiddenSize else {
            throw .invalidRequest(
                parameter: "prompt_embeds",
                message: "prompt_embeds: rows have \(embeddings.width) numbers, but the model's hidden size is "
                    + "\(model.hiddenSize).")
        }
        guard request.sampling.promptLogprobs == nil else {
            throw .invalidRequest(
                parameter: "prompt_logprobs", message: "prompt_logprobs is not compatible with prompt embeds.")
        }
    }

    /// The embeddings that stand for the prompt, which begins at `start`.
    private func input(_ embeddings: PromptEmbeddings?, from start: Int) -> EmbeddedInput? {
        embeddings.map {
            EmbeddedInput(
                positions: start..<start + $0.count, embeddings: $0.rows,
                content: adapters.embeddings.number(of: EmbeddingContent(digest: $0.digest)))
        }
    }

    private func validate(prompt: [Int32], vocabularySize: Int) throws(EngineError) {
        guard !prompt.isEmpty else {
            throw .invalidRequest(parameter: "prompt", message: "The prompt must contain at least one token.")
        }
        for token in prompt where token < 0 || Int(token) >= vocabularySize {
            throw .invalidRequest(
                parameter: "prompt",
                message: "Token id \(token) is outside the vocabulary (0…\(vocabularySize - 1)).")
        }
    }

    /// Each bad word as it is spelled at the start of a text and after a blank (vLLM's rule).
    private func tokens(ofBadWords words: [String]) throws(EngineError) -> [[Int32]] {
        var result: [[Int32]] = []
        for word in words {
            let bare = String(word.drop(while: \.isWhitespace))
            let tokens = text.encode(bare, addSpecialTokens: false)
            let spaced = text.encode(" " + bare, addSpecialTokens: false)
            if !tokens.isEmpty { result.append(tokens) }
            if spaced.count == tokens.count, spaced.first != tokens.first { result.append(spaced) }
        }
        return result
    }

    // MARK: Bookkeeping

    private func enter() throws(EngineError) -> RequestKey {
        guard state.withLock({ $0.isAccepting }) else { throw .shuttingDown }
        guard recorder.enter(limit: maxQueuedRequests) else { throw .overloaded(retryAfter: 1) }
        return state.withLock { state in
            let key = RequestKey(rawValue: state.nextKey)
            state.nextKey += 1
            state.requestsInFlight.insert(key)
            return key
        }
    }

    private func leave(_ key: RequestKey) {
        let waiters = state.withLock { state in
            state.requestsInFlight.remove(key)
            guard state.requestsInFlight.isEmpty else { return [CheckedContinuation<Void, Never>]() }
            defer { state.whenIdle = [] }
            return state.whenIdle
        }
        for waiter in waiters { waiter.resume() }
    }

    /// A snapshot of counters, gauges and histograms.
    public func statistics() -> EngineStatistics { recorder.snapshot }

    /// Whether the engine takes requests.
    public var isHealthy: Bool { state.withLock { $0.isAccepting && $0.isRunning } }

    /// Describes the first contradiction in the engine's books; nil when there is none. For tests and diagnosis.
    package func audit() async -> String? {
        await withCheckedContinuation { continuation in
            if !inbox.post(.audit(continuation)) { continuation.resume(returning: nil) }
        }
    }

    // MARK: End

    /// Refuses new requests, lets the running ones finish, and ends with an error those that have not by the deadline.
    public func drain(within limit: Duration) async {
        state.withLock { $0.isAccepting = false }
        let deadline = Task { [inbox] in
            try? await Task.sleep(for: limit)
            if !Task.isCancelled { inbox.post(.abortAll(.shuttingDown)) }
        }
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                if !state.requestsInFlight.isEmpty { state.whenIdle.append(continuation) }
                return state.requestsInFlight.isEmpty
            }
            if isIdle { continuation.resume() }
        }
        deadline.cancel()
    }

    /// Stops the engine thread; requests still running end with an error.
    public func shutdown() {
        state.withLock { state in
            state.isAccepting = false
            state.isRunning = false
        }
        inbox.post(.stop)
    }
}

/// Seeds for requests that bring none: drawn at random, or a reproducible series from the engine's own seed.
private final class SeedSource: Sendable {
    private let generator: KeyedGenerator?
    private let position = Atomic(0)

    init(_ seed: UInt64?) { generator = seed.map(KeyedGenerator.init) }

    func next() -> UInt64 {
        guard let generator else { return .random(in: .min ... .max) }
        return generator.uniform(at: position.add(1, ordering: .relaxed).newValue).bitPattern
    }
}
