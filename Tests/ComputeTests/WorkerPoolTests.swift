import Compute
import Synchronization
import Testing

private final class Counter: Sendable {
    let value = Atomic<Int>(0)
}

private final class Log: Sendable {
    let entries = Mutex<[Int]>([])
}

@Suite struct WorkerPoolTests {
    @Test(arguments: 1...5)
    func everyWorkerRunsOnce(workers: Int) {
        let pool = WorkerPool(workerCount: workers)
        #expect(pool.workerCount == workers)
        for _ in 0..<200 {
            let seen = Log()
            pool.run { worker in seen.entries.withLock { $0.append(worker.index) } }
            #expect(seen.entries.withLock { $0.sorted() } == Array(0..<workers))
        }
    }

    @Test(arguments: 1...5)
    func sharesCoverAllWork(workers: Int) {
        let pool = WorkerPool(workerCount: workers)
        for total in [0, 1, 2, 7, 100] {
            let seen = Log()
            pool.run { worker in seen.entries.withLock { $0 += worker.share(of: total) } }
            #expect(seen.entries.withLock { $0.sorted() } == Array(0..<total))
        }
    }

    /// No worker passes a barrier before all have come: each adds to a sum that must be complete behind it.
    @Test(arguments: 1...4)
    func barriersHold(workers: Int) {
        let pool = WorkerPool(workerCount: workers)
        let sum = Counter()
        let wrong = Counter()
        pool.run { worker in
            for round in 1...500 {
                sum.value.add(1, ordering: .relaxed)
                worker.barrier()
                if sum.value.load(ordering: .relaxed) != round * workers { wrong.value.add(1, ordering: .relaxed) }
                worker.barrier()
            }
        }
        #expect(wrong.value.load(ordering: .relaxed) == 0)
    }

    @Test func callersTakeTurns() async {
        let pool = WorkerPool(workerCount: 3)
        let total = Counter()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<50 { pool.run { _ in _ = total.value.add(1, ordering: .relaxed) } }
                }
            }
        }
        #expect(total.value.load(ordering: .relaxed) == 4 * 50 * 3)
    }

    @Test func poolsEnd() {
        for _ in 0..<50 { WorkerPool(workerCount: 3).run { _ in } }
    }
}

@Suite struct WorkPhasesTests {
    private final class Sums: @unchecked Sendable {
        var values = [Int](repeating: 0, count: 64)
    }

    /// Each phase reads what the one before wrote, in pieces divided otherwise: any piece lost, done twice or seen too
    /// early changes the result.
    @Test(arguments: 1...5)
    func phasesFollowEachOther(workers: Int) {
        let pool = WorkerPool(workerCount: workers)
        let phases = WorkPhases(count: 6)
        for round in 0..<300 {
            let even = Sums()
            let odd = Sums()
            let current = phases.begin()
            pool.runPhases { _ in
                for phase in 0..<6 {
                    let from = phase.isMultiple(of: 2) ? even : odd
                    let to = phase.isMultiple(of: 2) ? odd : even
                    let pieces = Pieces(64, workers: 3, perWorker: phase + 1)
                    current.run(phase, pieces: pieces.count) { piece in
                        to.values.withUnsafeMutableBufferPointer { to in
                            for index in pieces[piece] {
                                to[index] = from.values[index] + from.values[(index + 1) % 64] + 1
                            }
                        }
                    }
                }
            }
            #expect(even.values.allSatisfy { $0 == 63 }, "round \(round)")
        }
    }

    @Test func piecesCoverAllUnits() {
        for total in [0, 1, 2, 7, 64, 1000] {
            for workers in 1...5 {
                let pieces = Pieces(total, workers: workers)
                #expect((0..<pieces.count).flatMap { Array(pieces[$0]) } == Array(0..<total))
            }
        }
    }
}
