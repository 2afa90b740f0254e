#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Wall-clock time, for what clients see; intervals are measured on `ContinuousClock`.
enum Clock {
    /// Whole seconds since 1970.
    static var unixSeconds: Int { time(nil) }
}
