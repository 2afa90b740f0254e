import KVCache
import Testing

@testable import Scheduling

@Suite struct SchedulerTests {
    private func scheduler(
        sequences: Int = 8, tokens: Int = 16, blockSize: Int = 4, blocks: Int = 16,
        change: (inout SchedulerConfiguration) -> Void = { _ in }
    ) -> Scheduler {
        var configuration = SchedulerConfiguration(
            maxSequences: sequences, maxBatchedTokens: tokens,
            cache: KVCacheConfiguration(blockSize: blockSize, blockCount: blocks))
        change(&configuration)
        return Scheduler(configuration)
    }

    /// A request with content of its own.
    private func request(_ number: Int, _ count: Int) -> SequenceRequest {
        SequenceRequest(keys: SequenceKeys(tokens: (0..<count).map { Int32(number * 1000 + $0) }))
    }

    private func id(_ number: UInt64) -> SequenceID { SequenceID(number) }

    @Test func prefillComesInChunksOfTheBudgetThatEndWithBlocks() {
        var scheduler = scheduler(tokens: 10)
        scheduler.add(id(0), request(0, 25))
        let steps = (0..<3).map { _ in scheduler.schedule() }
        #expect(steps.map { $0.entries.first?.start } == [0, 8, 16])
        #expect(steps.map { $0.entries.first?.count } == [8, 8, 9])
        #expect(steps.map { $0.entries.first?.reachesEnd } == [false, false, true])
        #expect(scheduler.schedule().entries.isEmpty)
    }

    @Test func aBudgetBelowABlockStillMakesProgress() {
        var scheduler = scheduler(tokens: 3, blockSize: 16)
        scheduler.add(id(0), request(0, 20))
        let ends = (0..<8).compactMap { _ in scheduler.schedule().entries.first.map { $0.start + $0.count } }
        #expect(ends == [3, 6, 9, 12, 15, 16, 19, 20])
    }

    @Test func runningSequencesGoBeforeNewOnes() {
        var scheduler = scheduler(tokens: 8)
        scheduler.add(id(0), request(0, 4))
        #expect(scheduler.schedule().entries.map(\.id) == [id(0)])
        scheduler.append(7, to: id(0))
        scheduler.add(id(1), request(1, 20))
        let step = scheduler.schedule()
        #expect(step.entries.map(\.id) == [id(0), id(1)])
        #expect(step.entries.map(\.count) == [1, 4], "seven are left, and chunks end with blocks")
        #expect(step.admitted == [id(1)])
    }

    @Test func decodesGoBeforeTheChunksOfEarlierPrompts() {
        var scheduler = scheduler(tokens: 8, blocks: 64)
        scheduler.add(id(0), request(0, 100))
        scheduler.add(id(1), request(1, 4))
        _ = scheduler.schedule()
        // The long prompt takes the whole budget of a step in which nobody else could go on.
        for _ in 0..<20 where scheduler[id(1)]?.pendingCount != 0 { _ = scheduler.schedule() }
        scheduler.append(7, to: id(1))
        #expect(scheduler.schedule().entries.first == .init(id: id(1), slot: 1, start: 4, count: 1, reachesEnd: true))
    }

    @Test func aLongPromptIsCappedUnlessItIsAlone() {
        var scheduler = scheduler(tokens: 64, blocks: 64) { $0.longPrefillThreshold = 16 }
        scheduler.add(id(0), request(0, 100))
        #expect(scheduler.schedule().entries.map(\.count) == [64])
        scheduler.add(id(1), request(1, 4))
        #expect(scheduler.schedule().entries.map(\.count) == [16, 4])
    }

    @Test func promptsBesideDecodesAreCappedTogether() {
        var scheduler = scheduler(tokens: 64, blocks: 64) { $0.maxMixedPrefillTokens = 24 }
        scheduler.add(id(0), request(0, 4))
        _ = scheduler.schedule()
        scheduler.append(7, to: id(0))
        scheduler.add(id(1), request(1, 16))
        scheduler.add(id(2), request(2, 40))
        #expect(scheduler.schedule().entries.map(\.count) == [1, 16, 8])
        scheduler.remove(id(0))
        #expect(scheduler.schedule().entries.map(\.count) == [32])
    }

    @Test func theLastComerGivesUpItsBlocks() {
        var scheduler = scheduler(blocks: 4) { $0.cache.isPrefixCachingEnabled = false }
        scheduler.add(id(0), request(0, 8))
        scheduler.add(id(1), request(1, 8))
        _ = scheduler.schedule()
        scheduler.append(1, to: id(0))
        scheduler.append(1, to: id(1))
        let step = scheduler.schedule()
        #expect(step.preempted == [id(1)])
        #expect(step.entries.map(\.id) == [id(0)])
        #expect(scheduler[id(1)]?.status == .waiting)
        #expect(scheduler[id(1)]?.preemptions == 1)
        #expect(scheduler.inconsistency == nil)
        scheduler.remove(id(0))
        #expect(scheduler.schedule().entries.map(\.count) == [9])
    }

    @Test func apreemptedSequenceFindsWhatItComputed() {
        var scheduler = scheduler(blocks: 5)
        scheduler.add(id(0), request(0, 8))
        scheduler.add(id(1), request(1, 11))
        _ = scheduler.schedule()
        scheduler.append(1, to: id(0))
        scheduler.append(1, to: id(1))
        #expect(scheduler.schedule().preempted == [id(1)])
        scheduler.remove(id(0))
        let entry = scheduler.schedule().entries.first
        #expect(entry?.id == id(1))
        #expect(entry?.start == 8, "only the last block was lost")
        #expect(scheduler[id(1)]?.cachedCount == 0, "it was not cached when the request came")
    }

    @Test func admissionLeavesRoomForThoseWhoRun() {
        var scheduler = scheduler(blocks: 8) { $0.watermark = 0.25 }
        scheduler.add(id(0), request(0, 16))
        scheduler.add(id(1), request(1, 12))
        #expect(scheduler.schedule().entries.map(\.id) == [id(0)])
        scheduler.remove(id(0))
        #expect(scheduler.schedule().entries.map(\.id) == [id(1)], "alone it needs no reserve")
    }

    @Test func memoryIsLackingOnlyWhileSomeoneWaitsForIt() {
        var scheduler = scheduler(tokens: 64, blocks: 8)
        scheduler.add(id(0), request(0, 16))
        scheduler.add(id(1), request(1, 20))
        _ = scheduler.schedule()
        #expect(scheduler.lacksMemory)
        scheduler.remove(id(1))
        scheduler.append(1, to: id(0))
        _ = scheduler.schedule()
        #expect(!scheduler.lacksMemory)
    }

    /// Bytes that another account gives back let in who did not fit, though no block was let go.
    @Test func bytesGivenBackLetTheNextOneIn() {
        var scheduler = scheduler(tokens: 64, blocks: 8)
        scheduler.withCache { #expect($0.charge(3, to: .adapters) == true) }
        scheduler.add(id(0), request(0, 16))
        scheduler.add(id(1), request(1, 8))
        #expect(scheduler.schedule().admitted == [id(0)])
        scheduler.withCache { $0.refund(3, to: .adapters) }
        #expect(scheduler.schedule().admitted == [id(1)])
    }

    @Test func equalPromptsOfOneStepAreComputedOnce() {
        var scheduler = scheduler(tokens: 100, blocks: 64)
        for number in 0..<4 { scheduler.add(id(UInt64(number)), request(0, 20)) }
        let step = scheduler.schedule()
        #expect(step.entries.map(\.count) == [20, 4, 4, 4])
        #expect(scheduler[id(3)]?.cachedCount == 16)
    }

    /// With a cap for each sequence, those that share a prompt compute it in turns, none of it twice.
    @Test func sharersOfAPromptPassItOn() {
        var scheduler = scheduler(tokens: 1000, blocks: 1000) { $0.longPrefillThreshold = 16 }
        for number in 0..<4 { scheduler.add(id(UInt64(number)), request(0, 201)) }
        var computed = 0
        var steps = 0
        while (0..<4).contains(where: { scheduler[id($0)]?.pendingCount != 0 }), steps < 100 {
            computed += scheduler.schedule().tokenCount
            steps += 1
            #expect(scheduler.inconsistency == nil)
        }
        #expect(computed == 200 + 4)
        #expect(steps <= 5)
    }

    @Test func lastTokensOfPromptsWithLogitsAreRationed() {
        var scheduler = scheduler(tokens: 64, blocks: 64) { $0.maxPromptLogits = 8 }
        var wanting = request(0, 20)
        wanting.wantsAllLogits = true
        scheduler.add(id(0), wanting)
        #expect(scheduler.schedule().entries.map(\.count) == [8])
    }

    @Test func logitsOfAllTokensMeanNoReuse() {
        var scheduler = scheduler(tokens: 64, blocks: 64)
        scheduler.add(id(0), request(0, 20))
        _ = scheduler.schedule()
        var wanting = request(0, 20)
        wanting.wantsAllLogits = true
        scheduler.add(id(1), wanting)
        #expect(scheduler.schedule().entries.first?.count == 20)
    }

    @Test func anAbandonedStepHarmsOnlyItsOwnSequences() {
        var scheduler = scheduler(tokens: 20, blocks: 64)
        scheduler.add(id(0), request(0, 8))
        _ = scheduler.schedule()
        scheduler.add(id(1), request(1, 16))
        let failed = scheduler.schedule()
        #expect(failed.entries.map(\.id) == [id(1)])
        scheduler.abandon(failed)
        scheduler.remove(id(1))
        #expect(scheduler.inconsistency == nil)
        scheduler.add(id(2), request(1, 16))
        #expect(scheduler.schedule().entries.map(\.start) == [0], "what was not computed is not found")
        scheduler.append(1, to: id(0))
        #expect(scheduler.schedule().entries.map(\.start) == [8])
    }

    @Test func aResetHarmsNobody() {
        var scheduler = scheduler(tokens: 64, blocks: 64)
        scheduler.add(id(0), request(0, 10))
        _ = scheduler.schedule()
        scheduler.resetPrefixCache()
        #expect(scheduler.inconsistency == nil)
        scheduler.append(1, to: id(0))
        #expect(scheduler.schedule().entries.map(\.start) == [10])
        scheduler.add(id(1), request(0, 10))
        #expect(scheduler.schedule().entries.map(\.start) == [0])
        #expect(scheduler.inconsistency == nil)
    }
}
