import Foundation
import KVCache
import Scheduling
import Testing

/// Random workloads, with every promise of the scheduler checked after every step.
@Suite struct SchedulerFuzzTests {
    /// `MARTLET_FUZZ_SEEDS` runs more than the usual number.
    static let seeds = 0..<(ProcessInfo.processInfo.environment["MARTLET_FUZZ_SEEDS"].flatMap { Int($0) } ?? 400)

    @Test(arguments: seeds)
    func everySequenceEndsAndNothingLeaks(seed: Int) throws {
        var workload = Workload(seed: UInt64(seed))
        for _ in 0..<8000 {
            try workload.step()
            if workload.isDone { break }
        }
        #expect(workload.isDone, "seed \(seed): sequences are left after 8000 steps")
        #expect(workload.scheduler.isIdle)
        #expect(workload.scheduler.cache.freeCount == workload.scheduler.configuration.cache.blockCount)
        #expect(workload.scheduler.inconsistency == nil)
    }
}

/// A stream of sequences that arrive, grow, are cancelled and end; and a cache whose content is simulated, so that a
/// token attended to before it was computed, or a block overwritten under someone's eyes, is seen.
private struct Workload {
    var scheduler: Scheduler
    private var random: SplitMix
    private var lengths: [SequenceID: Int] = [:]
    private var arrivals: Int
    private var nextID: UInt64 = 0
    private var now: Int64 = 0
    private var memory: CacheMemory

    init(seed: UInt64) {
        random = SplitMix(state: seed)
        let blockSize = [1, 4, 16, 32].randomElement(using: &random) ?? 16
        let blocks = Int.random(in: 1...24, using: &random)
        var configuration = SchedulerConfiguration(
            maxSequences: .random(in: 1...12, using: &random), maxBatchedTokens: .random(in: 1...64, using: &random),
            cache: KVCacheConfiguration(
                blockSize: blockSize, blockCount: blocks,
                isPrefixCachingEnabled: Int.random(in: 0..<5, using: &random) > 0))
        configuration.maxPromptLogits = .random(in: 1...32, using: &random)
        configuration.longPrefillThreshold = [0, 1, 8, 32].randomElement(using: &random) ?? 0
        configuration.maxMixedPrefillTokens = [0, 1, 8, 32].randomElement(using: &random) ?? 0
        configuration.watermark = [0, 0.01, 0.2].randomElement(using: &random) ?? 0
        configuration.policy = SchedulingPolicy.allCases.randomElement(using: &random) ?? .fcfs
        scheduler = Scheduler(configuration)
        memory = CacheMemory(blockSize: blockSize)
        arrivals = .random(in: 1...40, using: &random)
    }

    var isDone: Bool { arrivals == 0 && lengths.isEmpty }

    private var capacity: Int { scheduler.configuration.cache.blockCount * scheduler.configuration.cache.blockSize }

    mutating func step() throws {
        now += .random(in: 0...1_000_000_000, using: &random)
        if arrivals > 0, Bool.random(using: &random) { arrive() }
        if Int.random(in: 0..<40, using: &random) == 0, let id = lengths.keys.min() { end(id) }
        if Int.random(in: 0..<200, using: &random) == 0 { scheduler.resetPrefixCache() }
        if Int.random(in: 0..<100, using: &random) == 0 { scheduler.withCache { $0.trim(keeping: 1) } }
        let step = scheduler.schedule()
        try check(step)
        if Int.random(in: 0..<100, using: &random) == 0 {
            scheduler.abandon(step)
            for entry in step.entries { end(entry.id) }
        } else {
            try memory.execute(step, scheduler)
            for entry in step.entries where entry.reachesEnd { grow(entry.id) }
        }
        try #require(scheduler.inconsistency == nil)
    }

    private mutating func arrive() {
        arrivals -= 1
        let id = SequenceID(nextID)
        nextID += 1
        let total = Int.random(in: 1...min(capacity, 200), using: &random)
        let prompt = Int.random(in: 1...total, using: &random)
        lengths[id] = total
        // Few distinct beginnings, so that much is shared.
        let family = Int32.random(in: 0..<3, using: &random)
        let common = Int.random(in: 0...prompt, using: &random)
        let tokens = (0..<prompt).map { $0 < common ? family : Int32.random(in: 0..<4, using: &random) }
        scheduler.add(
            id,
            SequenceRequest(
                keys: SequenceKeys(
                    tokens: tokens, root: RootKey(salt: Int.random(in: 0..<6, using: &random) == 0 ? "salt" : nil),
                    adapterState: .random(in: 0..<2, using: &random),
                    adapterStart: .random(in: 0...prompt, using: &random)),
                priority: .random(in: -3...3, using: &random),
                tenant: ["a", "b", "c"].randomElement(using: &random) ?? "a", arrival: now,
                wantsAllLogits: Int.random(in: 0..<6, using: &random) == 0))
    }

    private mutating func grow(_ id: SequenceID) {
        guard let limit = lengths[id], let state = scheduler[id] else { return }
        if state.tokenCount >= limit {
            end(id)
        } else {
            scheduler.append(.random(in: 0..<2, using: &random), to: id)
        }
    }

    private mutating func end(_ id: SequenceID) {
        scheduler.remove(id)
        lengths[id] = nil
    }

    private func check(_ step: ScheduledStep) throws {
        let limits = scheduler.configuration
        try #require(scheduler.inconsistency == nil)
        try #require(step.tokenCount == step.entries.reduce(0) { $0 + $1.count })
        try #require(step.tokenCount <= limits.maxBatchedTokens)
        try #require(step.promptLogits <= limits.maxPromptLogits)
        try #require(scheduler.runningCount <= limits.maxSequences)
        try #require(Set(step.entries.map(\.id)).count == step.entries.count)
        try #require(step.entries.allSatisfy { $0.count > 0 })
        try #require(lengths.isEmpty || !step.entries.isEmpty, "nothing goes on")
    }
}

/// The content of a cache as numbers: each position holds a digest of all that its K and V depend on.
private struct CacheMemory {
    private struct Place: Hashable {
        let block: BlockID
        let offset: Int
    }

    struct Broken: Error, CustomStringConvertible { let description: String }

    let blockSize: Int
    private var content: [Place: Int] = [:]

    init(blockSize: Int) { self.blockSize = blockSize }

    /// Copies, writes what the step computes, then reads all that it attends to.
    mutating func execute(_ step: ScheduledStep, _ scheduler: Scheduler) throws {
        for copy in step.copies {
            for offset in 0..<blockSize {
                content[Place(block: copy.to, offset: offset)] = content[Place(block: copy.from, offset: offset)]
            }
        }
        for entry in step.entries {
            let state = scheduler[slot: entry.slot]
            guard state.id == entry.id else { throw Broken(description: "an entry without sequence") }
            let truth = digests(of: state)
            for position in entry.start..<(entry.start + entry.count) {
                content[place(position, state)] = truth[position]
            }
        }
        for entry in step.entries {
            let state = scheduler[slot: entry.slot]
            let truth = digests(of: state)
            for position in 0..<(entry.start + entry.count) where content[place(position, state)] != truth[position] {
                throw Broken(description: "\(state.id) would read foreign or missing content at \(position)")
            }
        }
    }

    private func place(_ position: Int, _ state: SequenceState) -> Place {
        Place(block: state.blocks.table.blocks[position / blockSize], offset: position % blockSize)
    }

    /// For each position a digest of everything up to it: equal exactly when K and V are equal.
    private func digests(of state: SequenceState) -> [Int] {
        var hasher = Hasher()
        hasher.combine(state.keys.root)
        return state.tokens.enumerated().map { position, token in
            hasher.combine(token)
            hasher.combine(position >= state.keys.adapterStart ? state.keys.adapterState : 0)
            let copy = hasher
            return copy.finalize()
        }
    }
}
