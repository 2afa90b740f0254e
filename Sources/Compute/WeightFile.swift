import CKernels
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A file of packed weights, for the machine that wrote it or one like it.
///
/// Words of 64 bits in the machine's order: magic, version, fingerprint, counts, a table of sections, a hash for each
/// chunk of each section, and a hash of all that; then the sections, each from a page's begin. Nothing is believed that
/// a hash does not confirm. The hashes find damage, not intent: whoever can write the file can change the weights.
package enum WeightFile {
    /// To be changed with every change of a packed layout.
    package static let version: UInt64 = 1

    static let magic: [UInt64] = [0x5745_5452_414D_0A1A, 0x4445_4B43_4150_2D01]
    /// Bytes that are read and hashed in one go; they stay in a core's cache between both.
    static let chunk = 1 << 18
    static let page = 4096
    /// No header of a real model is larger.
    static let mostWords = 1 << 22

    /// One piece of packed memory.
    struct Section: Sendable {
        static let words = 4

        /// Hash of the section's name.
        let key: UInt64
        /// See `code(_:)`; 0 for what is not a linear layer.
        let format: UInt64
        let byteCount: Int
        let offset: Int
        /// Where its chunks' hashes begin.
        var firstHash = 0

        var chunkCount: Int { (byteCount + WeightFile.chunk - 1) / WeightFile.chunk }

        func range(_ index: Int) -> Range<Int> {
            index * WeightFile.chunk..<min(byteCount, (index + 1) * WeightFile.chunk)
        }
    }

    /// Words before the sections' table.
    static let fixedWords = 2 + 1 + 4 + 3

    static func key(_ name: String) -> UInt64 {
        var name = name
        return name.withUTF8 { mk_hash64($0.baseAddress, $0.count) }
    }

    static func code(_ format: WeightFormat) -> UInt64 {
        1 << 63 | UInt64(format.kernelFormat.rawValue) << 16 | UInt64(format.group)
    }

    static func hash(_ words: [UInt64]) -> UInt64 {
        words.withUnsafeBytes { mk_hash64($0.baseAddress, $0.count) }
    }

    static func message(_ code: Int32) -> String { String(cString: strerror(code)) }
}

/// What a file of packed weights is good for, as four words.
package struct WeightFingerprint: Sendable, Equatable {
    let words: [UInt64]

    /// - Parameter digest: 32 bytes of a digest of all that the packed weights depend on.
    package init(digest: [UInt8]) {
        words = (0..<4).map { word in
            (0..<8).reduce(UInt64(0)) { $0 << 8 | (8 * word + $1 < digest.count ? UInt64(digest[8 * word + $1]) : 0) }
        }
    }
}

/// An open file of packed weights whose header was checked.
package final class WeightFileReader: Sendable {
    private let descriptor: Int32
    private let sections: [UInt64: WeightFile.Section]
    private let hashes: [UInt64]

    /// Opens the file at `path`; nil when there is none.
    ///
    /// - Throws: when the file is not the user's own, was made for something else, or is damaged.
    package convenience init?(path: String, fingerprint: WeightFingerprint) throws(ComputeError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw ComputeError("cannot be opened: \(WeightFile.message(errno))")
        }
        try self.init(descriptor: descriptor, fingerprint)
    }

    private init(descriptor: Int32, _ fingerprint: WeightFingerprint) throws(ComputeError) {
        do {
            let size = try Self.checkedSize(descriptor)
            let words = try Self.header(descriptor, size, fingerprint)
            (sections, hashes) = try Self.table(words, fileSize: size)
        } catch {
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    private static func checkedSize(_ descriptor: Int32) throws(ComputeError) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw ComputeError("is not a regular file")
        }
        guard status.st_uid == geteuid(), status.st_mode & 0o022 == 0 else {
            throw ComputeError("could have been written by others")
        }
        return Int(status.st_size)
    }

    /// All words before the data, with the right hash.
    private static func header(
        _ descriptor: Int32, _ size: Int, _ fingerprint: WeightFingerprint
    ) throws(ComputeError) -> [UInt64] {
        let start = try Self.words(descriptor, WeightFile.fixedWords, size)
        guard Array(start[0..<2]) == WeightFile.magic, start[2] == WeightFile.version else {
            throw ComputeError("is of another version, or no file of packed weights")
        }
        guard Array(start[3..<7]) == fingerprint.words else { throw ComputeError("belongs to another model") }
        guard let all = Int(exactly: start[7]), all > WeightFile.fixedWords, all <= WeightFile.mostWords else {
            throw ComputeError("has a damaged header")
        }
        let words = try Self.words(descriptor, all, size)
        guard WeightFile.hash(Array(words.dropLast())) == words.last else {
            throw ComputeError("has a damaged header")
        }
        return words
    }

    private static func words(_ descriptor: Int32, _ count: Int, _ size: Int) throws(ComputeError) -> [UInt64] {
        guard count * 8 <= size else { throw ComputeError("is too short") }
        var words = [UInt64](repeating: 0, count: count)
        let isRead = words.withUnsafeMutableBytes { bytes in
            bytes.baseAddress.map { read(descriptor, $0, bytes.count, at: 0) } ?? false
        }
        guard isRead else { throw ComputeError("cannot be read") }
        return words
    }

    private static func table(
        _ words: [UInt64], fileSize: Int
    ) throws(ComputeError) -> ([UInt64: WeightFile.Section], [UInt64]) {
        let damaged = ComputeError("has a damaged table")
        guard let count = Int(exactly: words[8]), words[9] == UInt64(fileSize), count < words.count else {
            throw ComputeError("is not as long as it was")
        }
        let first = WeightFile.fixedWords + count * WeightFile.Section.words
        guard first < words.count else { throw damaged }
        var sections: [UInt64: WeightFile.Section] = [:]
        var hashes = 0
        for index in 0..<count {
            let at = WeightFile.fixedWords + index * WeightFile.Section.words
            guard let bytes = Int(exactly: words[at + 2]), let offset = Int(exactly: words[at + 3]), bytes > 0,
                offset >= words.count * 8, bytes <= fileSize, offset <= fileSize - bytes
            else { throw damaged }
            let section = WeightFile.Section(
                key: words[at], format: words[at + 1], byteCount: bytes, offset: offset, firstHash: hashes)
            hashes += section.chunkCount
            sections[section.key] = section
        }
        guard first + hashes + 1 == words.count else { throw damaged }
        return (sections, Array(words[first..<first + hashes]))
    }

    /// Reads whole or not at all.
    private static func read(_ descriptor: Int32, _ to: UnsafeMutableRawPointer, _ count: Int, at offset: Int) -> Bool {
        var done = 0
        while done < count {
            let part = pread(descriptor, to + done, count - done, off_t(offset + done))
            if part < 0, errno == EINTR { continue }
            guard part > 0 else { return false }
            done += part
        }
        return true
    }

    func section(_ name: String) -> WeightFile.Section? { sections[WeightFile.key(name)] }

    /// The section's bytes, read and checked by all workers.
    func memory(_ section: WeightFile.Section, _ pool: WorkerPool) throws(ComputeError) -> Memory {
        let memory = try Memory(byteCount: section.byteCount)
        let damage = WorkFailure()
        pool.run { worker in
            for index in worker.share(of: section.chunkCount) {
                let range = section.range(index)
                let at = memory.pointer + range.lowerBound
                let isRead = Self.read(self.descriptor, at, range.count, at: section.offset + range.lowerBound)
                if !isRead || mk_hash64(at, range.count) != self.hashes[section.firstHash + index] {
                    return damage.code.store(1, ordering: .relaxed)
                }
            }
        }
        guard damage.code.load(ordering: .relaxed) == 0 else { throw ComputeError("is damaged") }
        return memory
    }

    /// The memory that was kept as `name`; nil when there is none of this size.
    package func memory(_ name: String, byteCount: Int, _ pool: WorkerPool) throws(ComputeError) -> Memory? {
        guard let section = self.section(name), section.format == 0, section.byteCount == byteCount else { return nil }
        return try memory(section, pool)
    }

    /// The layer that was kept as `name`, without its bias; nil when there is none of this shape in one of `formats`.
    package func layer(
        _ name: String, inputs: Int, outputs: Int, formats: [WeightFormat], _ pool: WorkerPool
    ) throws(ComputeError) -> PackedLinear? {
        guard let section = self.section(name), let n = Int32(exactly: outputs), let k = Int32(exactly: inputs),
            let format = formats.first(where: { WeightFile.code($0) == section.format })
        else { return nil }
        let bytes = mk_weights_bytes(format.kernelFormat, Int32(format.group), n, k)
        guard format == .compressedBfloat16 ? section.byteCount >= bytes : section.byteCount == bytes else {
            return nil
        }
        return PackedLinear(inputs: inputs, outputs: outputs, format: format, memory: try memory(section, pool))
    }
}

/// The system's number of what went wrong in a job; 0 for nothing.
final class WorkFailure: Sendable {
    let code = Atomic<Int32>(0)
}
