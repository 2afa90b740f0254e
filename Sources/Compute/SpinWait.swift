import CKernels

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Waiting for another thread without the system's help for some microseconds, then by giving the core away again and
/// again: a pure spin loop collapses as soon as another thread wants the core.
enum SpinWait {
    static let spins = 2000

    @inline(__always)
    static func until(_ done: () -> Bool) {
        var turn = 0
        while !done() {
            if turn < spins {
                mk_cpu_pause()
                turn += 1
            } else {
                sched_yield()
            }
        }
    }
}
