import Synchronization

/// The pieces of work of a job that consists of phases: workers claim pieces one by one, and a phase is over when its
/// last piece is done.
///
/// Unlike a barrier this waits for work, not for workers: one that the system has taken off its core delays nobody unless
/// it holds a piece. Who takes which piece changes from run to run, so a piece's result must not depend on it.
package final class WorkPhases: @unchecked Sendable {
    package let count: Int
    /// For each phase the number of claimed and of finished pieces, a cache line apart.
    private let counters: UnsafeMutablePointer<Atomic<UInt32>>

    private static let line = 16

    package init(count: Int) {
        self.count = count
        counters = .allocate(capacity: max(1, count) * 2 * Self.line)
        for index in 0..<count * 2 { (counters + index * Self.line).initialize(to: Atomic(0)) }
    }

    deinit { counters.deallocate() }

    /// Before a job: no piece of any phase is claimed.
    package func reset() {
        for index in 0..<count * 2 { counters[index * Self.line].store(0, ordering: .relaxed) }
    }

    /// Takes part in phase `phase`, which has `pieces` pieces, and returns when all of them are done, whoever did them;
    /// what they wrote is then visible. Every worker calls this for every phase, in order, with the same numbers.
    @inline(__always)
    package func run(_ phase: Int, pieces: Int, _ body: (Int) -> Void) {
        let claimed = counters + 2 * phase * Self.line
        let finished = claimed + Self.line
        while true {
            let piece = Int(claimed.pointee.add(1, ordering: .relaxed).oldValue)
            guard piece < pieces else { break }
            body(piece)
            finished.pointee.add(1, ordering: .acquiringAndReleasing)
        }
        SpinWait.until { finished.pointee.load(ordering: .acquiring) == UInt32(pieces) }
    }
}

/// Division of `total` equal units into pieces for some workers.
package struct Pieces: Sendable {
    package let total: Int
    package let count: Int

    /// About `perWorker` pieces for each worker, so that a slow one leaves work to the others; one piece for one worker.
    package init(_ total: Int, workers: Int, perWorker: Int = 4) {
        self.total = total
        count = workers == 1 ? min(1, total) : min(total, workers * perWorker)
    }

    package subscript(piece: Int) -> Range<Int> { (total * piece / count)..<(total * (piece + 1) / count) }
}
