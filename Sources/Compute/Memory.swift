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

    /// Gives the physical memory of a range of bytes back to the system, as far as it fills pages.
    ///
    /// What lay there is undefined afterwards: on Linux it reads as zero, elsewhere as zero or as what it was. Writing
    /// there commits memory again. Where the system holds it as a huge page of which a part goes, it may keep that part
    /// until memory is short.
    package func discard(_ range: Range<Int>) {
        let pages = Self.wholePages(range.clamped(to: 0..<byteCount), pageSize: Self.pageSize)
        guard !pages.isEmpty else { return }
        #if os(Linux)
        // 4 is MADV_DONTNEED, a macro that some C libraries hide.
        madvise(pointer + pages.lowerBound, pages.count, 4)
        #else
        madvise(pointer + pages.lowerBound, pages.count, MADV_FREE)
        #endif
    }

    package static let pageSize = max(1, Int(sysconf(Int32(_SC_PAGESIZE))))

    /// The whole pages within a range of bytes, counted from the start of one.
    static func wholePages(_ range: Range<Int>, pageSize: Int) -> Range<Int> {
        let (pages, rest) = range.lowerBound.quotientAndRemainder(dividingBy: pageSize)
        let first = (rest == 0 ? pages : pages + 1) * pageSize
        return first..<max(first, range.upperBound / pageSize * pageSize)
    }

    /// Whether both hold the same bytes.
    package func equals(_ other: Memory) -> Bool {
        byteCount == other.byteCount && memcmp(pointer, other.pointer, byteCount) == 0
    }

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

    /// Whether both hold the same in every bit.
    package func equals(_ other: FloatBuffer) -> Bool { memory.equals(other.memory) }
}
