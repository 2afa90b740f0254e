#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Zeroed anonymous memory, aligned to a page; the system commits a page when it is first written.
///
/// Large regions ask for huge pages, which is worth 4 to 8 % of the bandwidth when weights are streamed.
package final class Memory: @unchecked Sendable {
    package let byteCount: Int
    package let pointer: UnsafeMutableRawPointer

    /// The least size that asks for huge pages.
    private static let hugePageThreshold = 8 << 20

    package init(byteCount: Int) throws(ComputeError) {
        self.byteCount = max(byteCount, 1)
        let flags = MAP_PRIVATE | MAP_ANONYMOUS
        let mapped = mmap(nil, self.byteCount, PROT_READ | PROT_WRITE, flags, -1, 0)
        guard byteCount >= 0, let mapped, mapped != MAP_FAILED else {
            throw ComputeError("cannot reserve \(byteCount) bytes of memory: \(String(cString: strerror(errno)))")
        }
        pointer = mapped
        #if os(Linux)
        // 14 is MADV_HUGEPAGE, a macro that some C libraries hide.
        if self.byteCount >= Self.hugePageThreshold { madvise(mapped, self.byteCount, 14) }
        #endif
    }

    deinit { munmap(pointer, byteCount) }

    /// The memory as elements of `type`, from the start.
    package func elements<T: BitwiseCopyable>(_ type: T.Type) -> UnsafeMutablePointer<T> {
        pointer.assumingMemoryBound(to: type)
    }
}

/// A fixed array of floats for the kernels.
package final class FloatBuffer: @unchecked Sendable {
    package let count: Int
    package let values: UnsafeMutablePointer<Float>
    private let memory: Memory

    package init(count: Int) throws(ComputeError) {
        guard count >= 0, count <= Int.max / 8 else { throw ComputeError("cannot reserve \(count) numbers") }
        memory = try Memory(byteCount: count * MemoryLayout<Float>.stride)
        self.count = count
        values = memory.elements(Float.self)
    }
}
