import KVCache
import Scheduling
import Testing

/// Random workloads, with every promise of the scheduler checked after every step.
@Suite struct SchedulerFuzzTests {
    @Test(arguments: 0..<300)
    func everySequenceEndsAndNothingLeaks(seed: Int) throws {
        var workload = Workload(seed: UInt64(seed))
        for _ in 0..<5000 {
            try workload.step()
            if workload.isDone { break }
        }
        #expect(workload.isDone, "seed \(seed): sequences are left after 5000 steps")
        #expect(workload.scheduler.isIdle)
        #expect(workload.scheduler.pool.freeCount == workload.scheduler.configuration.blockCount)
    }
}

/// A stream of sequences that arrive, grow, are cancelled and end.
private struct Workload {
    var scheduler: Scheduler
    private var random: SplitMix
    private var lengths: [SequenceID: Int] = [:]
    private var computed: [SequenceID: Int] = [:]
    private var arrivals: Int
    private var nextID: UInt64 = 0

    init(seed: UInt64) {
        random = SplitMix(state: seed)
        let blockSize = [1, 4, 16, 32].randomElement(using: &random) ?? 16
        scheduler = Scheduler(
            SchedulerConfiguration(
                maxSequences: .random(in: 1...12, using: &random),
                maxBatchedTokens: .random(in: 1...64, using: &random),
                maxPromptLogits: .random(in: 1...32, using: &random), blockSize: blockSize,
                blockCount: .random(in: 1...24, using: &random)))
        arrivals = .random(in: 1...30, using: &random)
    }

    var isDone: Bool { arrivals == 0 && lengths.isEmpty }

    private var capacity: Int { scheduler.configuration.blockCount * scheduler.configuration.blockSize }

    mutating func step() throws {
        if arrivals > 0, Bool.random(using: &random) { arrive() }
        if Int.random(in: 0..<40, using: &random) == 0, let id = lengths.keys.min() { end(id) }
        let step = scheduler.schedule()
        try check(step)
        for entry in step.entries where entry.reachesEnd { grow(entry.id) }
    }

    private mutating func arrive() {
        arrivals -= 1
        let id = SequenceID(nextID)
        nextID += 1
        let total = Int.random(in: 1...min(capacity, 200), using: &random)
        let prompt = Int.random(in: 1...total, using: &random)
        lengths[id] = total
        computed[id] = 0
        scheduler.add(id, tokenCount: prompt, wantsAllLogits: Bool.random(using: &random))
    }

    private mutating func grow(_ id: SequenceID) {
        guard let limit = lengths[id], let state = scheduler[id] else { return }
        if state.tokenCount >= limit { end(id) } else { scheduler.append(to: id) }
    }

    private mutating func end(_ id: SequenceID) {
        scheduler.remove(id)
        lengths[id] = nil
        computed[id] = nil
    }

    private mutating func check(_ step: ScheduledStep) throws {
        try #require(scheduler.inconsistency == nil)
        try #require(step.tokenCount == step.entries.reduce(0) { $0 + $1.count })
        try #require(step.tokenCount <= scheduler.configuration.maxBatchedTokens)
        try #require(step.promptLogits <= scheduler.configuration.maxPromptLogits)
        try #require(scheduler.runningCount <= scheduler.configuration.maxSequences)
        try #require(Set(step.entries.map(\.id)).count == step.entries.count)
        try #require(lengths.isEmpty || !step.entries.isEmpty || !step.preempted.isEmpty, "nothing goes on")
        for id in step.preempted { computed[id] = 0 }
        for entry in step.entries {
            try #require(computed[entry.id] == entry.start, "a token was skipped or computed twice")
            computed[entry.id] = entry.start + entry.count
        }
    }
}

/// A small seeded generator for tests (Steele et al. 2014).
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
