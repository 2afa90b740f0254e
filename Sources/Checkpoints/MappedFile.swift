#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A regular file mapped read-only into memory; pages are read on first use and shared between processes.
///
/// The size is fixed when the file is opened. A file that another process *truncates* while it is mapped raises SIGBUS
/// at the next access to the lost pages, which no reader of mapped memory can turn into an error: replace model files by
/// renaming new ones into place (as the HuggingFace cache does), never by writing into them.
package final class MappedFile: Sendable {
    package let path: String
    /// When the file was last changed, in nanoseconds since 1970.
    package let modified: Int
    /// The file's content, valid as long as this object lives.
    ///
    /// Swift ends an object's life after the last use *of the object*, so a local file needs `withBytes`.
    package nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

    /// Maps the file at `path`. Anything but a regular file is refused (a named pipe would block for ever).
    package init(path: String) throws(CheckpointError) {
        self.path = path
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let code = errno
            throw CheckpointError(
                code == ENOENT || code == ENOTDIR ? .missing : .unreadable, file: path,
                "cannot be opened: \(Self.message(code))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw CheckpointError(.unreadable, file: path, "cannot be examined: \(Self.message(errno))")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw CheckpointError(.unreadable, file: path, "is not a regular file")
        }
        #if canImport(Darwin)
        let time = status.st_mtimespec
        #else
        let time = status.st_mtim
        #endif
        modified = Int(time.tv_sec) &* 1_000_000_000 &+ Int(time.tv_nsec)
        let size = Int(status.st_size)
        guard size > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        guard let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED else {
            throw CheckpointError(.unreadable, file: path, "cannot be mapped into memory: \(Self.message(errno))")
        }
        bytes = UnsafeRawBufferPointer(start: address, count: size)
    }

    deinit {
        if let address = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: address), bytes.count) }
    }

    /// Runs `body` on the file's content and keeps the file mapped until it returns.
    package func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        defer { extendLifetime(self) }
        return try body(bytes)
    }

    /// Tells the system that `range` (offsets in bytes) will be read soon.
    package func prefetch(_ range: Range<Int>) { advise(range, outward: true, MADV_WILLNEED) }

    /// Gives the memory of the pages that lie wholly in `range` back; they are read from the file again when used.
    ///
    /// To call after the weights in `range` were packed: the resident memory then holds one copy of the model, not two.
    package func release(_ range: Range<Int>) { advise(range, outward: false, MADV_DONTNEED) }

    private func advise(_ range: Range<Int>, outward: Bool, _ advice: Int32) {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let range = range.clamped(to: 0..<bytes.count)
        let start = outward ? range.lowerBound / page * page : (range.lowerBound + page - 1) / page * page
        let reachesEnd = range.upperBound == bytes.count
        let end = outward || reachesEnd ? range.upperBound : range.upperBound / page * page
        guard let address = bytes.baseAddress, start < end else { return }
        _ = madvise(UnsafeMutableRawPointer(mutating: address + start), end - start, advice)
    }

    /// Whether what `path` names (through symbolic links) is a folder; nil where there is nothing.
    package static func isFolder(_ path: String) -> Bool? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return status.st_mode & S_IFMT == S_IFDIR
    }

    private static func message(_ code: Int32) -> String { String(cString: strerror(code)) }
}
