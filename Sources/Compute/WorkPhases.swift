import Synchronization

/// The pieces of work of a job that consists of phases: workers claim pieces one by one, and a phase is over when its
/// last piece is done.
///
/// Unlike a barrier this waits for work, not for workers: one that the system has taken off its core delays nobody unless
/// it holds a piece. One that comes back after the job has ended finds nothing to claim, even when the next job has
/// begun, and leaves. Who takes which piece changes from run to run, so a piece's result must not depend on it.
package final class WorkPhases: @unchecked Sendable {
    package let count: Int
    /// For each phase the number of claimed and of finished pieces, a cache line apart, each under the number of the
    /// round in the upper half.
    private let counters: UnsafeMutablePointer<Atomic<UInt64>>
    /// Number of the last round; only the thread that begins rounds touches it.
    private var round: UInt64 = 0

    private static let line = 8

    package init(count: Int) {
        self.count = count
        counters = .allocate(capacity: max(1, count) * 2 * Self.line)
        for index in 0..<count * 2 { (counters + index * Self.line).initialize(to: Atomic(0)) }
    }

    deinit { counters.deallocate() }

    /// Begins a round, in which each phase takes place once; all phases of the round before must be over.
    package func begin() -> Round {
        round = (round + 1) & 0xFFFF_FFFF
        for index in 0..<count * 2 { counters[index * Self.line].store(round << 32, ordering: .relaxed) }
        return Round(phases: self, base: round << 32)
    }

    /// One passage through all phases.
    package struct Round: Sendable {
        fileprivate let phases: WorkPhases
        fileprivate let base: UInt64

        /// Takes part in phase `phase`, which has `pieces` pieces, and returns when all of them are done, whoever did
        /// them; what they wrote is then visible. Returns at once when the round is over.
        ///
        /// Every worker calls this for every phase, in order, with the same numbers. What `body` uses must outlive the
        /// round only: no piece is given out after it.
        @inline(__always)
        package func run(_ phase: Int, pieces: Int, _ body: (Int) -> Void) {
            let claimed = phases.counters + 2 * phase * WorkPhases.line
            let finished = claimed + WorkPhases.line
            var done: UInt64 = 0
            while let piece = claim(claimed, pieces) {
                body(piece)
                done += 1
            }
            // Nothing claimed, nothing to add: the round may be over, and the counter that of a later one.
            if done > 0 { finished.pointee.add(done, ordering: .acquiringAndReleasing) }
            let end = base + UInt64(pieces)
            SpinWait.until {
                let value = finished.pointee.load(ordering: .acquiring)
                return value == end || value >> 32 != base >> 32
            }
        }

        /// The next piece of a phase; nil when all are claimed or the round is over.
        @inline(__always)
        private func claim(_ counter: UnsafeMutablePointer<Atomic<UInt64>>, _ pieces: Int) -> Int? {
            var value = counter.pointee.load(ordering: .relaxed)
            while value >> 32 == base >> 32, value - base < UInt64(pieces) {
                let (done, seen) = counter.pointee.weakCompareExchange(
                    expected: value, desired: value + 1, ordering: .acquiring)
                if done { return Int(value - base) }
                value = seen
            }
            return nil
        }
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

    /// Pieces of about `mostBytes` at most, as their units have `unitBytes` of weights.
    ///
    /// Whoever comes last to the end of a phase is waited for, so its last piece must be short.
    package init(_ total: Int, unitBytes: Int, workers: Int) {
        let fine = (total * unitBytes + Self.mostBytes - 1) / Self.mostBytes
        self.init(total, workers: workers, perWorker: max(4, (fine + workers - 1) / workers))
    }

    /// About 50 microseconds of a core's memory bandwidth.
    private static let mostBytes = 2 << 20

    package subscript(piece: Int) -> Range<Int> { (total * piece / count)..<(total * (piece + 1) / count) }
}
