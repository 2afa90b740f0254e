import Scheduling
import Testing

@Suite struct SchedulerTests {
    private func scheduler(
        sequences: Int = 8, tokens: Int = 16, blockSize: Int = 4, blocks: Int = 16
    ) -> Scheduler {
        Scheduler(
            SchedulerConfiguration(
                maxSequences: sequences, maxBatchedTokens: tokens, blockSize: blockSize, blockCount: blocks))
    }

    private func id(_ number: UInt64) -> SequenceID { SequenceID(number) }

    @Test func prefillComesInChunksOfTheBudget() {
        var scheduler = scheduler(tokens: 10)
        scheduler.add(id(0), tokenCount: 25)
        let steps = (0..<3).map { _ in scheduler.schedule() }
        #expect(steps.map(\.tokenCount) == [10, 10, 5])
        #expect(steps.map { $0.entries.map(\.start) } == [[0], [10], [20]])
        #expect(steps.map { $0.entries.map(\.reachesEnd) } == [[false], [false], [true]])
        #expect(scheduler.schedule().entries.isEmpty)
    }

    @Test func runningSequencesGoBeforeNewOnes() {
        var scheduler = scheduler(tokens: 8)
        scheduler.add(id(0), tokenCount: 4)
        _ = scheduler.schedule()
        scheduler.append(to: id(0))
        scheduler.add(id(1), tokenCount: 20)
        let step = scheduler.schedule()
        #expect(step.entries.map(\.id) == [id(0), id(1)])
        #expect(step.entries.map(\.count) == [1, 7])
    }

    @Test func admitsOnlyWhatFitsAndInOrder() {
        var scheduler = scheduler(tokens: 100, blocks: 4)
        scheduler.add(id(0), tokenCount: 12)
        scheduler.add(id(1), tokenCount: 8)
        scheduler.add(id(2), tokenCount: 1)
        #expect(scheduler.schedule().entries.map(\.id) == [id(0)])
        #expect(scheduler.waitingCount == 2)
        scheduler.remove(id(0))
        #expect(scheduler.schedule().entries.map(\.id) == [id(1), id(2)])
    }

    @Test func keepsTheLimitOfSequences() {
        var scheduler = scheduler(sequences: 2)
        for number in 0..<3 { scheduler.add(id(UInt64(number)), tokenCount: 1) }
        #expect(scheduler.schedule().entries.count == 2)
    }

    @Test func lastComerGivesWayAndComesBackFirst() {
        var scheduler = scheduler(tokens: 100, blocks: 4)
        scheduler.add(id(0), tokenCount: 8)
        scheduler.add(id(1), tokenCount: 8)
        scheduler.add(id(2), tokenCount: 4)
        #expect(scheduler.schedule().entries.map(\.id) == [id(0), id(1)])
        scheduler.append(to: id(0))
        scheduler.append(to: id(1))
        let step = scheduler.schedule()
        #expect(step.preempted == [id(1)])
        #expect(step.entries.map(\.id) == [id(0)])
        #expect(scheduler[id(1)]?.computedCount == 0)
        #expect(scheduler.inconsistency == nil)
        scheduler.remove(id(0))
        let next = scheduler.schedule()
        #expect(next.entries.map(\.id) == [id(1), id(2)])
        #expect(next.entries.map(\.count) == [9, 4])
    }

    @Test func logitsOfWholePromptsAreRationed() {
        var scheduler = Scheduler(
            SchedulerConfiguration(
                maxSequences: 8, maxBatchedTokens: 30, maxPromptLogits: 6, blockSize: 4, blockCount: 16))
        scheduler.add(id(0), tokenCount: 4, wantsAllLogits: true)
        scheduler.add(id(1), tokenCount: 9, wantsAllLogits: true)
        scheduler.add(id(2), tokenCount: 9)
        scheduler.add(id(3), tokenCount: 5, wantsAllLogits: true)
        #expect(scheduler.schedule().entries.map(\.count) == [4, 2, 9])
        #expect(scheduler.schedule().entries.map(\.count) == [6])
        #expect(scheduler.schedule().entries.map(\.id) == [id(1), id(3)])
    }

    @Test func removingUnknownSequencesDoesNothing() {
        var scheduler = scheduler()
        scheduler.remove(id(7))
        scheduler.append(to: id(7))
        #expect(scheduler.isIdle)
        #expect(scheduler.inconsistency == nil)
    }
}
