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
        workload.releasePrefixes()
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
    /// The prefixes that are installed, and the sequences that begin with them.
    private var prefixes: [PrefixID: Set<SequenceID>] = [:]

    init(seed: UInt64) {
        random = SplitMix(state: seed)
        let blockSize = [1, 4, 16, 32].randomElement(using: &random) ?? 16
        let blocks = Int.random(in: 1...24, using: &random)
        var configuration = SchedulerConfiguration(
            maxSequences: .random(in: 1...12, using: &random), maxBatchedTokens: .random(in: 1...64, using: &random),
            cache: KVCacheConfiguration(
                blockSize: blockSize, blockCount: blocks,
                isPrefixCachingEnabled: Int.random(in: 0..<5, using: &random) > 0))
        if blocks > 3, Bool.random(using: &random) {
            configuration.cache.reservedBlocks = .random(in: 1...(blocks - 1), using: &random)
        }
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

    private var capacity: Int {
        let cache = scheduler.configuration.cache
        return (cache.reservedBlocks > 0 ? cache.reservedBlocks : cache.blockCount) * cache.blockSize
    }

    /// Positions of a prefix, always the same for one name.
    private func positions(_ id: PrefixID) -> Int { [1, 4, 7, 33][Int(id.rawValue)] }

    private mutating func changePrefixes() {
        guard scheduler.configuration.cache.reservedBlocks > 0, Int.random(in: 0..<4, using: &random) == 0 else {
            return
        }
        let id = PrefixID(.random(in: 0..<4, using: &random))
        if let users = prefixes[id] {
            guard users.isEmpty else { return }
            scheduler.withCache { $0.releasePrefix(id) }
            prefixes[id] = nil
        } else {
            let positions = positions(id)
            guard let installed = scheduler.withCache({ $0.installPrefix(id, positions: positions) }) else { return }
            memory.install(id, positions: positions, in: installed.blocks)
            prefixes[id] = []
        }
    }

    mutating func releasePrefixes() {
        for id in prefixes.keys { scheduler.withCache { $0.releasePrefix(id) } }
        prefixes = [:]
    }

    mutating func step() throws {
        now += .random(in: 0...1_000_000_000, using: &random)
        if arrivals > 0, Bool.random(using: &random) { arrive() }
        changePrefixes()
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
        var tokens = (0..<prompt).map { $0 < common ? family : Int32.random(in: 0..<4, using: &random) }
        let prefix = prefixes.keys.sorted().randomElement(using: &random).map {
            SequenceKeys.Prefix($0, positions: positions($0))
        }.flatMap { $0.positions < prompt && Bool.random(using: &random) ? $0 : nil }
        if let prefix {
            for position in 0..<prefix.positions { tokens[position] = SequenceKeys.noToken }
            prefixes[prefix.id]?.insert(id)
        }
        scheduler.add(
            id,
            SequenceRequest(
                keys: SequenceKeys(
                    tokens: tokens, salt: Int.random(in: 0..<6, using: &random) == 0 ? "salt" : nil,
                    prefix: prefix, adapterState: .random(in: 0..<2, using: &random),
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
        for prefix in prefixes.keys { prefixes[prefix]?.remove(id) }
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

    /// Writes what a prefix puts before sequences.
    mutating func install(_ id: PrefixID, positions: Int, in blocks: [BlockID]) {
        for position in 0..<positions {
            let place = Place(block: blocks[position / blockSize], offset: position % blockSize)
            content[place] = Self.digest(id, position)
        }
    }

    private static func digest(_ id: PrefixID, _ position: Int) -> Int {
        var hasher = Hasher()
        hasher.combine(id)
        hasher.combine(position)
        return hasher.finalize()
    }

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
            if entry.start < state.keys.prefix?.positions ?? 0 {
                throw Broken(description: "\(state.id) would compute its prefix")
            }
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
            if let prefix = state.keys.prefix, position < prefix.positions { return Self.digest(prefix.id, position) }
            hasher.combine(token)
            hasher.combine(position >= state.keys.adapterStart ? state.keys.adapterState : 0)
            let copy = hasher
            return copy.finalize()
        }
    }
}
