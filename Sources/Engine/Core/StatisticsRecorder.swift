internal import KVCache
import Sampling
import Scheduling
import Synchronization

/// Collects the engine's statistics on its thread and lets others read them.
final class StatisticsRecorder: Sendable {
    private let state: Mutex<EngineStatistics>
    /// Requests accepted and not yet in a step; bounds the queue.
    private let queued = Atomic<Int>(0)

    init(maxModelLength: Int) {
        state = Mutex(EngineStatistics(maxModelLength: maxModelLength))
    }

    var snapshot: EngineStatistics { state.withLock { $0 } }

    // MARK: Queue

    /// Counts a new request, unless `limit` wait already.
    func enter(limit: Int) -> Bool {
        let (_, count) = queued.add(1, ordering: .relaxed)
        if count <= limit { return true }
        queued.subtract(1, ordering: .relaxed)
        state.withLock { $0.rejections += 1 }
        return false
    }

    /// A request takes part in a step for the first time.
    func leftQueue() { queued.subtract(1, ordering: .relaxed) }

    /// A request ends before its natural end.
    func left(_ request: RunningRequest) {
        if request.timeline.scheduled == nil { leftQueue() }
    }

    func record(_ body: (inout EngineStatistics) -> Void) { state.withLock { body(&$0) } }

    // MARK: Events

    func record(_ scheduler: Scheduler) {
        state.withLock { statistics in
            statistics.requestsRunning = scheduler.runningCount
            statistics.requestsWaiting = scheduler.waitingCount
            statistics.cacheUsage = scheduler.cache.usage
            statistics.blockSize = scheduler.configuration.cache.blockSize
            statistics.blockCount = scheduler.configuration.cache.blockCount
            statistics.cacheBytes = scheduler.cache.ledger.used(by: .blocks)
            statistics.adapterBytes = scheduler.cache.ledger.used(by: .adapters)
            statistics.memoryBudget = scheduler.cache.ledger.budget
        }
    }

    func stepped(tokens: Int) { state.withLock { $0.iterationTokens.observe(Double(tokens)) } }

    /// The engine's loop has made a turn with a step in it.
    func turned(since start: ContinuousClock.Instant, kernels: Duration) {
        let all = seconds(from: start, to: .now)
        state.withLock { statistics in
            statistics.stepSeconds += all
            statistics.kernelSeconds += kernels / .seconds(1)
        }
    }

    func preempted() { state.withLock { $0.preemptions += 1 } }

    func finished(_ reason: FinishReason) { state.withLock { $0.finished[reason, default: 0] += 1 } }

    /// The tokens of a sequence's prompt were looked up in the cache, and this many found.
    func looked(up tokens: Int, found: Int) {
        state.withLock { statistics in
            statistics.prefixCacheQueries += tokens
            statistics.prefixCacheHits += found
        }
    }

    func started(_ request: RunningRequest, cachedTokens: Int, at now: ContinuousClock.Instant) {
        let timeline = request.timeline
        state.withLock { statistics in
            statistics.promptTokens += request.promptCount
            statistics.promptTokensCached += cachedTokens
            statistics.prefillComputedTokens.observe(Double(request.promptCount - cachedTokens))
            let wait = seconds(from: timeline.arrived, to: now)
            statistics.timeToFirstToken.observe(wait)
            statistics.adapters.observe(\.timeToFirstToken, wait, of: request.adapterNames)
            guard let scheduled = timeline.scheduled else { return }
            statistics.queueTime.observe(seconds(from: timeline.arrived, to: scheduled))
            statistics.prefillTime.observe(seconds(from: scheduled, to: now))
        }
    }

    func generated(
        _ request: RunningRequest, since previous: ContinuousClock.Instant?, at now: ContinuousClock.Instant
    ) {
        state.withLock { statistics in
            statistics.generationTokens += 1
            guard let previous else { return }
            let gap = seconds(from: previous, to: now)
            statistics.interTokenLatency.observe(gap)
            statistics.adapters.observe(\.interTokenLatency, gap, of: request.adapterNames)
        }
    }

    func completed(_ request: RunningRequest, at now: ContinuousClock.Instant) {
        let timeline = request.timeline
        let generated = request.generated.reduce(0, +)
        let longest = request.generated.max() ?? 0
        state.withLock { statistics in
            statistics.endToEndLatency.observe(seconds(from: timeline.arrived, to: now))
            if let scheduled = timeline.scheduled {
                statistics.inferenceTime.observe(seconds(from: scheduled, to: now))
            }
            if let first = timeline.firstToken {
                let decode = seconds(from: first, to: now)
                statistics.decodeTime.observe(decode)
                if longest > 1 { statistics.timePerOutputToken.observe(decode / Double(longest - 1)) }
            }
            statistics.requestPromptTokens.observe(Double(request.promptCount))
            statistics.requestGenerationTokens.observe(Double(generated))
            statistics.requestMaxGenerationTokens.observe(Double(longest))
            statistics.requestPreemptions.observe(Double(request.preemptions))
            statistics.requestChoices.observe(Double(request.sampling.n))
            if let limit = request.sampling.maxTokens { statistics.requestMaxTokens.observe(Double(limit)) }
        }
    }

    private func seconds(from start: ContinuousClock.Instant, to end: ContinuousClock.Instant) -> Double {
        start.duration(to: end) / .seconds(1)
    }
}
