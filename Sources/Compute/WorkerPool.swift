import CKernels
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// One of the threads that execute a job together.
package struct Worker: Sendable {
    /// 0 is the thread that called `run`.
    package let index: Int
    package let count: Int
    fileprivate let team: Team

    /// Waits until every worker of the job has come here; writes before it are visible to all after it.
    package func barrier() { team.barrier() }

    /// This worker's part of `total` equal pieces of work: ranges of all workers are disjoint, in order, and cover it.
    package func share(of total: Int) -> Range<Int> { (total * index / count)..<(total * (index + 1) / count) }
}

/// A fixed set of threads that execute one function together (SPMD) and meet at barriers.
///
/// The caller is worker 0. Idle workers spin for some microseconds, then yield, then sleep; at barriers they spin, then
/// yield, then nap: a pure spin loop collapses as soon as another thread wants the core.
package final class WorkerPool: Sendable {
    private let team: Team
    private let threads: [pthread_t]
    /// Serialises callers.
    private let turn = Mutex(())
    private let worked = Atomic<UInt64>(0)

    /// Starts `workerCount - 1` threads, fewer if the system refuses some.
    package init(workerCount: Int) {
        let team = Team()
        var threads: [pthread_t] = []
        for index in 1..<max(1, workerCount) {
            guard let thread = Self.start(index, team) else { break }
            threads.append(thread)
        }
        self.team = team
        self.threads = threads
        team.open(workerCount: threads.count + 1)
    }

    deinit {
        team.end()
        for thread in threads { pthread_join(thread, nil) }
    }

    package var workerCount: Int { threads.count + 1 }

    /// How long jobs took so far, one after another.
    package var jobTime: Duration { .nanoseconds(Int64(worked.load(ordering: .relaxed))) }

    private func timed(_ job: () -> Void) {
        let start = ContinuousClock.now
        job()
        let (seconds, attoseconds) = start.duration(to: .now).components
        worked.add(UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000), ordering: .relaxed)
    }

    /// Executes `body` once on every worker and returns when all are done. Not to be called from within a job.
    package func run(_ body: @escaping @Sendable (Worker) -> Void) {
        turn.withLock { _ in
            timed {
                guard workerCount > 1 else { return body(Worker(index: 0, count: 1, team: team)) }
                let job = Job(body, helpers: workerCount - 1)
                team.publish(job)
                body(Worker(index: 0, count: workerCount, team: team))
                SpinWait.until { job.unfinished.load(ordering: .acquiring) == 0 }
                team.retract()
            }
        }
    }

    /// Executes `body`, which consists of the phases of one round and nothing else, on the caller and on whatever
    /// workers come in time; returns when the caller is through the last phase. `body` may still be running elsewhere
    /// then, but gets no more pieces.
    ///
    /// - Parameter alone: calls nobody to help, as the job is too small to share.
    package func runPhases(alone: Bool = false, _ body: @escaping @Sendable (Worker) -> Void) {
        turn.withLock { _ in
            timed {
                if workerCount > 1, !alone { team.publish(Job(body, helpers: workerCount - 1)) }
                body(Worker(index: 0, count: workerCount, team: team))
                team.retract()
            }
        }
    }

    private final class Start {
        let index: Int
        let team: Team

        init(index: Int, team: Team) {
            self.index = index
            self.team = team
        }
    }

    private static func start(_ index: Int, _ team: Team) -> pthread_t? {
        let context = Unmanaged.passRetained(Start(index: index, team: team))
        #if canImport(Darwin)
        var thread: pthread_t?
        let status = pthread_create(&thread, nil, { enter($0) }, context.toOpaque())
        #else
        var thread = pthread_t()
        let status = pthread_create(&thread, nil, { $0.flatMap { WorkerPool.enter($0) } }, context.toOpaque())
        #endif
        guard status == 0 else {
            context.release()
            return nil
        }
        return thread
    }

    private static func enter(_ context: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
        let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
        start.team.work(as: start.index)
        return nil
    }
}

/// What the workers other than the caller are to do.
private final class Job: Sendable {
    let body: @Sendable (Worker) -> Void
    /// Helpers that have not come to the end.
    let unfinished: Atomic<Int>

    init(_ body: @escaping @Sendable (Worker) -> Void, helpers: Int) {
        self.body = body
        unfinished = Atomic(helpers)
    }
}

/// What a pool's threads find when they are called.
private struct Notice {
    /// Counts publications; `Team.generation` follows it.
    var number: UInt32 = 0
    /// Nil when the job is over.
    var job: Job?
    var isEnd = false
}

/// State that the threads of a pool share.
private final class Team: @unchecked Sendable {
    private let generation = LoneCounter()
    private let arrived = LoneCounter()
    private let phase = LoneCounter()
    private let sleepers = LoneCounter()
    private let notice = Mutex(Notice())
    private var workerCount = 1
    private let mutex: UnsafeMutablePointer<pthread_mutex_t> = .allocate(capacity: 1)
    private let wake: UnsafeMutablePointer<pthread_cond_t> = .allocate(capacity: 1)

    private static let yields = 50

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(wake, nil)
    }

    deinit {
        pthread_cond_destroy(wake)
        pthread_mutex_destroy(mutex)
        wake.deallocate()
        mutex.deallocate()
    }

    /// Called once, before the first job.
    func open(workerCount: Int) { self.workerCount = workerCount }

    /// Hands a job to the other workers.
    func publish(_ job: Job) { call { $0.job = job } }

    /// Takes the job back: nobody begins it any more, and what it refers to can go.
    func retract() { notice.withLock { $0.job = nil } }

    /// Ends the threads.
    func end() { call { $0.isEnd = true } }

    private func call(_ change: (inout Notice) -> Void) {
        notice.withLock { notice in
            notice.number &+= 1
            change(&notice)
        }
        generation.value.wrappingAdd(1, ordering: .sequentiallyConsistent)
        guard sleepers.value.load(ordering: .sequentiallyConsistent) > 0 else { return }
        pthread_mutex_lock(mutex)
        pthread_cond_broadcast(wake)
        pthread_mutex_unlock(mutex)
    }

    func barrier() {
        guard workerCount > 1 else { return }
        let current = phase.value.load(ordering: .acquiring)
        if arrived.value.add(1, ordering: .acquiringAndReleasing).newValue == UInt32(workerCount) {
            arrived.value.store(0, ordering: .relaxed)
            phase.value.wrappingAdd(1, ordering: .releasing)
        } else {
            SpinWait.until { phase.value.load(ordering: .acquiring) != current }
        }
    }

    /// The life of a worker thread.
    ///
    /// A job may be published while a worker is still on its way out of an earlier one, which is over then; one that
    /// must be done by all is not followed by another before they have done it.
    func work(as index: Int) {
        var seen: UInt32 = 0
        while true {
            awaitCall(after: seen)
            let notice = notice.withLock { $0 }
            guard !notice.isEnd else { return }
            // Called already by the number, which runs ahead of the generation for a moment.
            guard notice.number != seen else { continue }
            seen = notice.number
            guard let job = notice.job else { continue }
            job.body(Worker(index: index, count: workerCount, team: self))
            job.unfinished.subtract(1, ordering: .releasing)
        }
    }

    private func awaitCall(after seen: UInt32) {
        for turn in 0..<(SpinWait.spins + Self.yields) {
            if generation.value.load(ordering: .acquiring) != seen { return }
            if turn < SpinWait.spins { mk_cpu_pause() } else { sched_yield() }
        }
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        // Counted before the last look, so a job published after that look finds a sleeper to wake.
        sleepers.value.wrappingAdd(1, ordering: .sequentiallyConsistent)
        while generation.value.load(ordering: .sequentiallyConsistent) == seen { pthread_cond_wait(wake, mutex) }
        sleepers.value.wrappingSubtract(1, ordering: .sequentiallyConsistent)
    }
}

/// A counter with cache lines of its own: neighbours that are written often would slow its readers down.
private final class LoneCounter: Sendable {
    private let before = InlineArray<15, UInt64>(repeating: 0)
    let value = Atomic<UInt32>(0)
    private let after = InlineArray<15, UInt64>(repeating: 0)
}
