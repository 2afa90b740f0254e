import Engine
import Logging
import OpenAIProtocol
import Synchronization

/// The running prompts of one request; letting go of it aborts whatever has not finished.
final class GenerationRun: Sendable {
    let state: ServerState
    let logger: Logger
    private let ids: [String]
    private let streams: [GenerationStream]
    private let arrival: ContinuousClock.Instant
    private let isOverdue = Atomic<Bool>(false)
    private let isComplete = Atomic<Bool>(false)

    /// Hands all prompts to the engine; when one is refused, none runs.
    init(
        _ prompts: [PreparedPrompt], responseID: String, tenant: String, state: ServerState,
        arrival: ContinuousClock.Instant, lease: AdapterLease?, logger: Logger
    ) throws(APIError) {
        let number = state.nextNumber()
        var ids: [String] = []
        var streams: [GenerationStream] = []
        for (position, prompt) in prompts.enumerated() {
            // The client chooses the response's identifier, so only the number makes this one unique.
            let id = "\(responseID)#\(number).\(position)"
            var request = GenerationRequest(id: id, prompt: prompt.tokens, sampling: prompt.sampling)
            request.embeddings = prompt.embeddings
            request.shortensOutput = prompt.isLimitOpen
            request.adapters = prompt.adapters
            request.lease = lease
            request.requiresInvocation = prompt.adaptersAreStrict ?? state.configuration.requiresInvocation
            request.cacheSalt = prompt.scheduling.cacheSalt
            request.readsCache = prompt.scheduling.readsCache
            request.priority = prompt.scheduling.priority
            // Without keys, those who share an adapter are one tenant.
            request.tenant = tenant.isEmpty ? prompt.adapters.map(\.name).joined(separator: "+") : tenant
            do throws(EngineError) {
                streams.append(try state.engine.generate(request))
            } catch {
                for id in ids { state.engine.abort(id) }
                throw APIError(error).placed(prompts.count > 1 ? "prompt[\(position)]" : nil)
            }
            ids.append(id)
        }
        self.ids = ids
        self.streams = streams
        self.state = state
        self.arrival = arrival
        self.logger = logger
        state.enter()
    }

    deinit {
        abortUnlessComplete()
        state.leave()
    }

    private func abortUnlessComplete() {
        guard !isComplete.load(ordering: .relaxed) else { return }
        for id in ids { state.engine.abort(id) }
    }

    /// Runs `body` with every event and the number of its prompt, in the order in which they come.
    ///
    /// - Throws: `APIError` when the engine fails or the time limit passes, `CancellationError` when the client is gone,
    ///   and what `body` throws.
    @concurrent func consume(_ body: @concurrent (Int, GenerationEvent) async throws -> Void) async throws {
        let timer = startTimer()
        defer {
            timer?.cancel()
            abortUnlessComplete()
        }
        do {
            if streams.count == 1 {
                for try await event in streams[0] { try await pass(0, event, to: body) }
            } else {
                try await consumeMerged(body)
            }
        } catch let error as EngineError {
            try checkTime()
            throw APIError(error)
        }
        try Task.checkCancellation()
        try checkTime()
        isComplete.store(true, ordering: .relaxed)
    }

    @concurrent private func pass(
        _ prompt: Int, _ event: GenerationEvent, to body: @concurrent (Int, GenerationEvent) async throws -> Void
    ) async throws {
        try checkTime()
        if state.isDraining, case .delta(let delta) = event, delta.finish?.reason == .abort {
            throw EngineError.shuttingDown
        }
        try await body(prompt, event)
    }

    @concurrent private func consumeMerged(_ body: @concurrent (Int, GenerationEvent) async throws -> Void) async throws
    {
        let (merged, continuation) = MergedStream.makeStream()
        async let pump: Void = Self.pump(streams, into: continuation)
        for try await (prompt, event) in merged { try await pass(prompt, event, to: body) }
        await pump
    }

    private typealias MergedStream = AsyncThrowingStream<(Int, GenerationEvent), any Error>

    private static func pump(_ streams: [GenerationStream], into continuation: MergedStream.Continuation) async {
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (prompt, stream) in streams.enumerated() {
                    group.addTask { for try await event in stream { continuation.yield((prompt, event)) } }
                }
                try await group.waitForAll()
            }
            continuation.finish()
        } catch {
            continuation.finish(throwing: error)
        }
    }

    private func startTimer() -> Task<Void, Never>? {
        guard let limit = state.configuration.requestTimeout else { return nil }
        return Task { [weak self, arrival] in
            try? await Task.sleep(until: arrival + limit, clock: .continuous)
            guard !Task.isCancelled, let self else { return }
            isOverdue.store(true, ordering: .relaxed)
            for id in ids { state.engine.abort(id) }
        }
    }

    private func checkTime() throws(APIError) {
        guard isOverdue.load(ordering: .relaxed), let limit = state.configuration.requestTimeout else { return }
        throw .timeout(seconds: limit / .seconds(1))
    }

    /// One line about a request that has ended; tokens and times, never texts.
    func log(_ usage: Usage, outcome: String) {
        guard state.configuration.logsRequests else { return }
        logger.info(
            "generation \(outcome)",
            metadata: [
                "prompt_tokens": "\(usage.promptTokens)", "cached_tokens": "\(usage.cachedTokens)",
                "completion_tokens": "\(usage.completionTokens)",
                "seconds": "\((ContinuousClock.now - arrival) / .seconds(1))",
            ])
    }
}
