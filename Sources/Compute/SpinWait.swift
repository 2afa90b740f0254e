import CKernels

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Waiting for another thread: without the system's help for some microseconds, then by giving the core away, then by
/// naps.
///
/// A wait that outlasts the spinning is one for a thread that lost its core to another process. Only a core on which
/// nothing runs makes the system bring that thread over; one that is yielded again and again counts as busy.
enum SpinWait {
    /// 50 to 100 microseconds, longer than a piece of work takes.
    static let spins = 2000
    private static let yields = 16
    private static let nap = 30_000

    @inline(__always)
    static func until(_ done: () -> Bool) {
        for _ in 0..<spins {
            if done() { return }
            mk_cpu_pause()
        }
        wait(done)
    }

    @inline(never)
    private static func wait(_ done: () -> Bool) {
        for _ in 0..<yields {
            if done() { return }
            sched_yield()
        }
        while !done() {
            var time = timespec(tv_sec: 0, tv_nsec: nap)
            nanosleep(&time, nil)
        }
    }
}
