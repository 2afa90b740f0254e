import Checkpoints
import OpenAIProtocol
import Sampling
import Server
import Synchronization

@testable import Engine

/// An engine without a model: tokens are bytes, and the prompt's text says what happens.
///
/// `hold` never begins; `fail` breaks after two tokens; `pace` gives a token whenever `release` is called; anything else
/// is answered at once with letters that follow from the prompt and the seed alone.
final class ScriptedEngine: EngineService {
    static let beginToken: Int32 = 256
    static let endToken: Int32 = 257

    let model: ModelInformation
    let defaults: SamplingParameters
    let queueLimit: Int
    let hasChatTemplate: Bool

    private let state = Mutex(State())

    private struct State {
        var running: [String: GenerationStream.Continuation] = [:]
        var paced: [String: (prompt: [Int32], sampling: SamplingParameters, next: Int)] = [:]
        var aborted = 0
        var cacheResets = 0
        var adapters: [String: AdapterInformation] = [:]
        var started = 0
        var requests: [GenerationRequest] = []
        var isAccepting = true
        var waiters: [(isMet: @Sendable (Int, Int, Int) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
        var drainWaiters: [CheckedContinuation<Void, Never>] = []
    }

    init(
        names: [String] = ["scripted", "org/alias"], maxModelLength: Int = 4096, queueLimit: Int = .max,
        hasChatTemplate: Bool = true, defaults: SamplingParameters = SamplingParameters()
    ) {
        model = ModelInformation(
            servedNames: names, root: "scripted-model", maxModelLength: maxModelLength, vocabularySize: 258,
            hiddenSize: 2,
            dtype: "float32", quantization: .none, architecture: "scripted", parameterCount: 0, created: 1_700_000_000)
        self.queueLimit = queueLimit
        self.hasChatTemplate = hasChatTemplate
        self.defaults = defaults
    }

    var isHealthy: Bool { state.withLock { $0.isAccepting } }

    // MARK: Text

    func encode(_ text: String, addSpecialTokens: Bool) -> [Int32] {
        (addSpecialTokens ? [Self.beginToken] : []) + text.utf8.map { Int32($0) }
    }

    func decode(_ tokens: [Int32], skipSpecialTokens: Bool) -> String {
        var bytes: [UInt8] = []
        for token in tokens {
            if let byte = UInt8(exactly: token) {
                bytes.append(byte)
            } else if !skipSpecialTokens {
                bytes += Array((piece(token) ?? "").utf8)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    func piece(_ token: Int32) -> String? {
        switch token {
        case Self.beginToken: "<s>"
        case Self.endToken: "</s>"
        case 0..<256: "<\(token)>"
        default: nil
        }
    }

    func bytes(of token: Int32) -> [UInt8]? { UInt8(exactly: token).map { [$0] } }
    func isSpecial(_ token: Int32) -> Bool { token >= 256 }

    func renderChat(_ chat: ChatInput) throws(EngineError) -> String {
        let messages = chat.messages.array ?? []
        return messages.map { $0["content"]?.string ?? "" }.joined(separator: "\n")
    }

    // MARK: Requests

    func generate(_ request: GenerationRequest) throws(EngineError) -> GenerationStream {
        let refusal: EngineError? = state.withLock { state in
            if !state.isAccepting { return .shuttingDown }
            return state.running.count >= queueLimit ? .overloaded(retryAfter: 1) : nil
        }
        if let refusal { throw refusal }
        let (stream, continuation) = GenerationStream.makeStream()
        let id = request.id
        continuation.onTermination = { [weak self] termination in
            if case .cancelled = termination { self?.abort(id) }
        }
        change {
            $0.running[id] = continuation
            $0.requests.append(request)
        }
        begin(request, continuation)
        change { $0.started += 1 }
        return stream
    }

    private func begin(_ request: GenerationRequest, _ continuation: GenerationStream.Continuation) {
        let text = decode(request.prompt, skipSpecialTokens: true)
        if text.hasPrefix("hold") { return }
        let report = PromptReport(
            promptTokens: request.prompt.count, cachedTokens: min(3, request.prompt.count - 1), virtualTokens: 0,
            adapters: request.adapters.isEmpty ? nil : .from(2),
            logprobs: request.sampling.promptLogprobs.map { Self.promptLogprobs(request.prompt, top: $0) })
        continuation.yield(.started(report))
        if text.hasPrefix("pace") {
            change { $0.paced[request.id] = (request.prompt, request.sampling, 0) }
            return
        }
        let count = text.hasPrefix("fail") ? 2 : request.sampling.maxTokens ?? 16
        for position in 0..<count {
            for index in 0..<request.sampling.n {
                continuation.yield(
                    .delta(Self.delta(request.prompt, request.sampling, index, position, isLast: position + 1 == count))
                )
            }
        }
        if text.hasPrefix("fail") {
            continuation.finish(throwing: EngineError.failed("the script says so"))
        } else {
            continuation.finish()
        }
        change { $0.running[request.id] = nil }
    }

    /// Lets every paced request have its next token.
    func release() {
        let steps = state.withLock { state in
            var steps: [(GenerationStream.Continuation, GenerationDelta)] = []
            for (id, paced) in state.paced {
                guard let continuation = state.running[id] else { continue }
                let isLast = paced.next + 1 == paced.sampling.maxTokens ?? 16
                steps.append((continuation, Self.delta(paced.prompt, paced.sampling, 0, paced.next, isLast: isLast)))
                state.paced[id] = isLast ? nil : (paced.prompt, paced.sampling, paced.next + 1)
                if isLast { state.running[id] = nil }
            }
            return steps
        }
        for (continuation, delta) in steps {
            continuation.yield(.delta(delta))
            if delta.finish != nil { continuation.finish() }
        }
        change { _ in }
    }

    /// How often the prefix cache was reset.
    var cacheResets: Int { state.withLock { $0.cacheResets } }
    /// The requests that were started, in order.
    var requests: [GenerationRequest] { state.withLock { $0.requests } }

    var loadedAdapters: [AdapterInformation] { state.withLock { $0.adapters.values.sorted { $0.name < $1.name } } }
    func isLoaded(_ adapter: String) -> Bool { state.withLock { $0.adapters[adapter] != nil } }

    func loadAdapter(_ name: String, path: String, replacing: Bool) async throws -> AdapterInformation {
        var information = AdapterInformation(
            name: name, path: path, kind: "lora", ranks: [8], digest: "d", byteCount: 10, isActivated: false,
            created: 5)
        // Two tokens of its own.
        information.vocabularySize = model.vocabularySize + 2
        information.loadSeconds = 0.25
        let isTaken = state.withLock { !replacing && $0.adapters[name] != nil }
        if isTaken { throw EngineError.invalidRequest(parameter: "lora_name", message: "\(name) is taken") }
        change { $0.adapters[name] = information }
        return information
    }

    func prepareAdapters(_ names: [String]) async throws -> AdapterLease? { nil }

    func pinAdapter(_ name: String, _ isPinned: Bool) throws(EngineError) {
        guard isLoaded(name) else { throw .unknownAdapter(name) }
    }

    func reloadAdapter(_ name: String) async throws -> AdapterInformation {
        guard let known = state.withLock({ $0.adapters[name] }) else { throw EngineError.unknownAdapter(name) }
        return try await loadAdapter(name, path: known.path, replacing: true)
    }

    func unloadAdapter(_ name: String) throws(EngineError) {
        guard isLoaded(name) else { throw .unknownAdapter(name) }
        change { $0.adapters[name] = nil }
    }

    func resetPrefixCache() async { change { $0.cacheResets += 1 } }

    func abort(_ id: String) {
        let continuation = state.withLock { state in
            state.paced[id] = nil
            return state.running.removeValue(forKey: id)
        }
        guard let continuation else { return }
        continuation.finish()
        change { $0.aborted += 1 }
    }

    func statistics() -> EngineStatistics {
        var statistics = EngineStatistics(maxModelLength: model.maxModelLength)
        statistics.requestsRunning = state.withLock { $0.running.count }
        statistics.blockSize = 16
        statistics.blockCount = 128
        statistics.timeToFirstToken.observe(0.003)
        statistics.timeToFirstToken.observe(5000)
        return statistics
    }

    func drain(within limit: Duration) async {
        let waiting = state.withLock { state in
            state.isAccepting = false
            defer { state.drainWaiters = [] }
            return state.drainWaiters
        }
        for continuation in waiting { continuation.resume() }
        let deadline = Task {
            try? await Task.sleep(for: limit)
            guard !Task.isCancelled else { return }
            let rest = state.withLock { state in
                defer { state.running = [:] }
                return state.running.values.map { $0 }
            }
            for continuation in rest { continuation.finish(throwing: EngineError.shuttingDown) }
            change { _ in }
        }
        await wait { running, _, _ in running == 0 }
        deadline.cancel()
    }

    // MARK: Waiting for a state

    var counts: (running: Int, started: Int, aborted: Int) {
        state.withLock { ($0.running.count, $0.started, $0.aborted) }
    }

    /// Waits until the numbers of running, started and aborted requests satisfy `isMet`.
    func wait(_ isMet: @escaping @Sendable (_ running: Int, _ started: Int, _ aborted: Int) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isMetNow = state.withLock { state in
                let isMetNow = isMet(state.running.count, state.started, state.aborted)
                if !isMetNow { state.waiters.append((isMet, continuation)) }
                return isMetNow
            }
            if isMetNow { continuation.resume() }
        }
    }

    /// Waits until `drain` has been called.
    func waitUntilDraining() async {
        await withCheckedContinuation { continuation in
            let isDraining = state.withLock { state in
                if state.isAccepting { state.drainWaiters.append(continuation) }
                return !state.isAccepting
            }
            if isDraining { continuation.resume() }
        }
    }

    private func change(_ body: (inout sending State) -> Void) {
        let ready = state.withLock { state in
            body(&state)
            var ready: [CheckedContinuation<Void, Never>] = []
            let (running, started, aborted) = (state.running.count, state.started, state.aborted)
            state.waiters.removeAll { waiter in
                guard waiter.isMet(running, started, aborted) else { return false }
                ready.append(waiter.continuation)
                return true
            }
            return ready
        }
        for continuation in ready { continuation.resume() }
    }

    // MARK: Output

    static func token(_ prompt: [Int32], _ sampling: SamplingParameters, _ index: Int, _ position: Int) -> Int32 {
        var hash: UInt64 = 14_695_981_039_346_656_037 &+ (sampling.seed ?? 0)
        for value in prompt + [Int32(index), Int32(position)] {
            hash = (hash ^ UInt64(UInt32(bitPattern: value))) &* 1_099_511_628_211
        }
        return Int32(97 + hash >> 7 % 26)
    }

    static func delta(
        _ prompt: [Int32], _ sampling: SamplingParameters, _ index: Int, _ position: Int, isLast: Bool
    ) -> GenerationDelta {
        let token = token(prompt, sampling, index, position)
        return GenerationDelta(
            index: index, text: String(decoding: [UInt8(token)], as: UTF8.self), tokens: [token],
            logprobs: sampling.logprobs.map { [logprobs(token, top: $0)] } ?? [], finish: isLast ? Finish(.length) : nil
        )
    }

    static func logprobs(_ token: Int32, top: Int) -> PositionLogprobs {
        let chosen = TokenLogprob(token: token, logprob: -0.5, rank: 1)
        let others = (0..<max(top - 1, 0)).map {
            TokenLogprob(token: (token + 1 + Int32($0)) % 256, logprob: -1.5 - Float($0), rank: $0 + 2)
        }
        return PositionLogprobs(chosen: chosen, top: top > 0 ? [chosen] + others : [])
    }

    private static func promptLogprobs(_ prompt: [Int32], top: Int) -> [PositionLogprobs?] {
        prompt.enumerated().map { $0 == 0 ? nil : logprobs($1, top: top) }
    }
}
