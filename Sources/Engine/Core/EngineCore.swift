import Compute
internal import KVCache
import Models
import Sampling
import Scheduling
import Tokenizers

/// The engine thread's world: the scheduler, the runner and all requests in flight. Only that thread touches it.
final class EngineCore {
    let runner: any ModelRunner
    let tokenizer: Tokenizer
    let endTokens: Set<Int32>
    let sampling: SamplingStage
    let recorder: StatisticsRecorder
    private let inbox: Inbox<EngineMessage>
    private let pool: WorkerPool
    /// When the loop began its present turn.
    private var turnStarted = ContinuousClock.now

    var scheduler: Scheduler
    var requests: [RequestKey: RunningRequest] = [:]
    var choices: [SequenceID: Choice] = [:]
    var logits = LogitsBuffer()
    private var nextSequence: UInt64 = 0
    private let started = ContinuousClock.now
    private var idleMemory: IdleMemory
    private let cacheEvents: (@Sendable ([CacheEvent]) -> Void)?
    /// Called after every step for which memory was lacking.
    var onPressure: (@Sendable () -> Void)?

    init(
        runner: any ModelRunner, pool: WorkerPool, tokenizer: Tokenizer, endTokens: Set<Int32>,
        scheduler: SchedulerConfiguration, inbox: Inbox<EngineMessage>, recorder: StatisticsRecorder,
        cacheIdleTimeout: Double?, cacheEvents: (@Sendable ([CacheEvent]) -> Void)?
    ) {
        idleMemory = IdleMemory(timeout: cacheIdleTimeout)
        self.cacheEvents = cacheEvents
        self.runner = runner
        self.tokenizer = tokenizer
        self.endTokens = endTokens
        self.inbox = inbox
        self.recorder = recorder
        self.scheduler = Scheduler(scheduler)
        self.pool = pool
        sampling = SamplingStage(pool: pool)
    }

    /// Serves requests until told to stop; then ends those that are left with an error.
    func run() {
        recorder.record(scheduler)
        while receive() {
            let worked = pool.jobTime
            if !scheduler.isIdle { step() }
            recorder.record(scheduler)
            publishCacheEvents()
            let kernels = pool.jobTime - worked
            if kernels > .zero { recorder.turned(since: turnStarted, kernels: kernels) }
        }
        for message in inbox.close() { _ = handle(message) }
        abortAll(.shuttingDown)
    }

    /// The first contradiction between the scheduler's books and the requests; nil when there is none.
    private var inconsistency: String? {
        if let problem = scheduler.inconsistency { return problem }
        let open = Set(requests.values.flatMap(\.open))
        if open != Set(choices.keys) { return "the open choices of the requests are not those of the engine" }
        if let lost = open.first(where: { scheduler[$0] == nil }) { return "\(lost) is not scheduled" }
        return scheduler.runningCount + scheduler.waitingCount == open.count ? nil : "a sequence has no request"
    }

    private func receive() -> Bool {
        turnStarted = .now
        var messages = inbox.drain()
        if messages.isEmpty, scheduler.isIdle {
            messages = waitForWork()
            turnStarted = .now
        }
        return messages.reduce(true) { isRunning, message in handle(message) && isRunning }
    }

    private func waitForWork() -> [EngineMessage] {
        while true {
            if let messages = inbox.wait(idleMemory.wait(from: .now)) {
                idleMemory.wake()
                return messages
            }
            giveBackMemory(idleMemory.act())
        }
    }

    private func giveBackMemory(_ action: IdleMemory.Action?) {
        guard let action else { return }
        let ranges = scheduler.withCache { cache in
            if case .releaseAll = action { cache.trim(keeping: 0) }
            return cache.blankRanges()
        }
        runner.discardBlocks(ranges)
        recorder.record(scheduler)
        publishCacheEvents()
    }

    private func publishCacheEvents() {
        guard let cacheEvents else { return }
        let events = scheduler.withCache { $0.takeEvents() }
        if !events.isEmpty { cacheEvents(events) }
    }

    private func handle(_ message: EngineMessage) -> Bool {
        switch message {
        case .submit(let submission): admit(submission)
        case .abort(let key): abort(key)
        case .abortNamed(let id):
            for request in requests.values where request.id == id { abort(request.key) }
        case .abortAll(let error): abortAll(error)
        case .chargeAdapters(let bytes, let answer):
            answer.give(scheduler.withCache { $0.charge(bytes, to: .adapters) })
        case .refundAdapters(let bytes): scheduler.withCache { $0.refund(bytes, to: .adapters) }
        case .installPrefix(let id, let positions, let answer):
            answer.give(scheduler.withCache { $0.installPrefix(id, positions: positions) })
        case .computePrefix(let part, let answer): answer.give(compute(part))
        case .releasePrefix(let id): scheduler.withCache { $0.releasePrefix(id) }
        case .resetPrefixCache(let continuation):
            scheduler.resetPrefixCache()
            continuation.resume()
        case .audit(let continuation):
            recorder.record(scheduler)
            continuation.resume(returning: inconsistency)
        case .stop: return false
        }
        return true
    }

    // MARK: Requests

    private func admit(_ submission: Submission) {
        let request = RunningRequest(submission)
        if let prompt = submission.adapters?.prompt, case .prefix(let id) = prompt.content,
            !scheduler.cache.hasPrefix(id)
        {
            // The lease should have kept it there; to compute without it would be another answer.
            recorder.adaptersArrived(request)
            return end(request, throwing: .failed("The prefix of the request's adapter is not in the cache."))
        }
        for index in 0..<submission.sampling.n {
            let id = SequenceID(nextSequence)
            nextSequence += 1
            request.open.insert(id)
            choices[id] = makeChoice(submission, request, id: id, index: index)
            scheduler.add(id, sequence(submission))
        }
        requests[submission.key] = request
        recorder.adaptersArrived(request)
    }

    private func sequence(_ submission: Submission) -> SequenceRequest {
        let virtual = submission.adapters?.prompt
        let prefix: SequenceKeys.Prefix? =
            if let virtual, case .prefix(let id) = virtual.content { .init(id, positions: virtual.count) } else { nil }
        return SequenceRequest(
            keys: SequenceKeys(
                tokens: submission.tokens,
                salt: submission.cacheSalt, prefix: prefix,
                adapterState: submission.adapters?.state ?? 0, adapterStart: submission.adapters?.start ?? 0,
                embeddings: submission.embedded.map { .init(positions: $0.positions, content: $0.content) }),
            priority: submission.priority, tenant: submission.tenant,
            arrival: Int64(started.duration(to: submission.arrived) / .nanoseconds(1)),
            wantsAllLogits: submission.sampling.promptLogprobs != nil, readsCache: submission.readsCache)
    }

    /// Tokens that a request with these adapters can have.
    func vocabularySize(_ adapters: RequestAdapters?) -> Int {
        adapters?.vocabularySize ?? runner.shape.vocabularySize
    }

    private func makeChoice(
        _ submission: Submission, _ request: RunningRequest, id: SequenceID, index: Int
    ) -> Choice {
        let parameters = submission.sampling
        let ends = (parameters.ignoreEOS ? [] : Array(endTokens)) + parameters.stopTokenIDs
        return Choice(
            id: id, index: index, of: submission, request: request,
            sampler: TokenSampler(parameters, seed: submission.seed &+ UInt64(index)),
            processor: LogitsProcessor(
                parameters, vocabularySize: vocabularySize(submission.adapters), prompt: submission.prompt,
                badWords: submission.badWords, endTokens: ends),
            output: OutputAssembler(
                parameters, endTokens: endTokens, maxTokens: submission.maxTokens,
                decoder: StreamingDecoder(
                    tokenizer: tokenizer, skipSpecialTokens: parameters.skipSpecialTokens, prompt: submission.prompt)))
    }

    private func abort(_ key: RequestKey) {
        guard let request = requests[key] else { return }
        end(request, throwing: nil)
    }

    private func abortAll(_ error: EngineError) {
        for request in requests.values { end(request, throwing: error) }
        recorder.record(scheduler)
    }

    /// Drops a request that has not finished by itself.
    func end(_ request: RunningRequest, throwing error: EngineError?) {
        for id in request.open {
            scheduler.remove(id)
            if error == nil, let index = choices[id]?.index {
                request.continuation.yield(
                    .delta(GenerationDelta(index: index, text: "", tokens: [], logprobs: [], finish: Finish(.abort))))
            }
            choices[id] = nil
            recorder.finished(error == nil ? .abort : .error)
        }
        requests[request.key] = nil
        recorder.left(request)
        recorder.adaptersLeft(request)
        request.continuation.finish(throwing: error)
    }
}
