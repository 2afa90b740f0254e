import Compute
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Measures how fast all cores together read memory: the limit of decoding, which reads every weight for each step.
enum MemoryProbe {
    /// Larger than the caches of common servers; several times that would only take longer.
    private static let size = 512 << 20
    private static let rounds = 12

    /// Bytes in a second, the best of a few rounds, since it is to be a limit; nil where there is no memory for it.
    ///
    /// Each round looks for a byte that does not occur, with the C library's own vector code.
    static func readBandwidth(threads: Int) -> Double? {
        let bytes = min(size, CPUInfo.current.availableMemory / 4) / chunk * chunk
        guard bytes >= chunk, let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0),
            memory != MAP_FAILED
        else { return nil }
        defer { munmap(memory, bytes) }
        nonisolated(unsafe) let shared = memory
        let pool = WorkerPool(workerCount: threads)
        pool.run { worker in
            let part = worker.share(of: bytes / chunk)
            memset(shared + part.lowerBound * chunk, 1, part.count * chunk)
        }
        var rates: [Double] = []
        // A result that nobody looked at would be optimised away, and the search with it.
        let found = Atomic(0)
        for _ in 0..<rounds {
            let start = ContinuousClock.now
            pool.run { worker in
                let part = worker.share(of: bytes / chunk)
                if isMarked(shared + part.lowerBound * chunk, part.count * chunk) { found.add(1, ordering: .relaxed) }
            }
            rates.append(Double(bytes) / max(1e-9, Format.seconds(ContinuousClock.now - start)))
        }
        return found.load(ordering: .relaxed) == 0 ? rates.max() : nil
    }
}

extension MemoryProbe {
    /// Streams that a core reads side by side: the prefetchers follow several, and one alone is slower.
    private static let streams = 8
    /// Bytes read from a stream before the next one's turn.
    private static let piece = 256
    /// What memory is divided into: whole pieces for every stream.
    private static let chunk = streams * piece * 512

    /// Whether the byte 0xFF occurs in `count` bytes, a multiple of `chunk`.
    private static func isMarked(_ memory: UnsafeMutableRawPointer, _ count: Int) -> Bool {
        let length = count / streams
        for offset in stride(from: 0, to: length, by: piece) {
            for stream in 0..<streams where memchr(memory + stream * length + offset, 0xFF, piece) != nil {
                return true
            }
        }
        return false
    }
}
