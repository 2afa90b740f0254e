import Dispatch

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Calls a handler on Ctrl-C instead of ending the program, as long as it lives.
final class Interrupt {
    private let source: any DispatchSourceSignal
    private let previous: sig_t?

    /// - Parameter handler: runs on a background queue.
    init(_ handler: @escaping @Sendable () -> Void) {
        previous = signal(SIGINT, SIG_IGN)
        source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        source.setEventHandler(handler: handler)
        source.resume()
    }

    deinit {
        source.cancel()
        signal(SIGINT, previous)
    }
}
