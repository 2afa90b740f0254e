import Synchronization

/// Sends the requests of a run when they are due, not more than some at a time.
struct LoadDriver {
    /// Seconds from the start, ascending.
    let arrivals: [Double]
    /// Most requests in flight; nil is no limit.
    let maxConcurrency: Int?

    /// Runs all requests; returns what became of each, in order, and how many seconds it took.
    ///
    /// A request whose turn comes while the limit is reached waits, and its time begins when it is sent.
    func run(
        _ request: @escaping @Sendable (_ index: Int, _ start: ContinuousClock.Instant) async -> RequestRecord,
        progress: @escaping @Sendable (_ finished: Int) -> Void = { _ in }
    ) async -> (records: [RequestRecord], seconds: Double) {
        let counters = Counters()
        let start = ContinuousClock.now
        let workers = min(arrivals.count, maxConcurrency ?? arrivals.count)
        let records = await withTaskGroup(of: [(Int, RequestRecord)].self) { group in
            for _ in 0..<workers {
                group.addTask {
                    var own: [(Int, RequestRecord)] = []
                    while true {
                        let index = counters.next.add(1, ordering: .relaxed).oldValue
                        guard index < arrivals.count else { return own }
                        let due = start.advanced(by: .seconds(arrivals[index]))
                        if due > .now { try? await Task.sleep(until: due, clock: .continuous) }
                        own.append((index, await request(index, start)))
                        progress(counters.finished.add(1, ordering: .relaxed).newValue)
                    }
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        let seconds = Format.seconds(ContinuousClock.now - start)
        return (records.sorted { $0.0 < $1.0 }.map(\.1), seconds)
    }

    private final class Counters: Sendable {
        let next = Atomic(0)
        let finished = Atomic(0)
    }
}
