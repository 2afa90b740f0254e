import CKernels
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Collects packed weights and writes them to a file that is there as a whole or not at all.
package struct WeightFileWriter {
    private var parts: [(section: WeightFile.Section, memory: Memory)] = []
    private let fingerprint: WeightFingerprint

    package init(_ fingerprint: WeightFingerprint) { self.fingerprint = fingerprint }

    /// Takes a layer's weights, which must not change any more.
    package mutating func add(_ layer: PackedLinear, _ name: String) {
        add(layer.memory, name, format: WeightFile.code(layer.format))
    }

    /// Takes memory, which must not change any more.
    package mutating func add(_ memory: Memory, _ name: String) { add(memory, name, format: 0) }

    private mutating func add(_ memory: Memory, _ name: String, format: UInt64) {
        let section = WeightFile.Section(
            key: WeightFile.key(name), format: format, byteCount: memory.byteCount, offset: 0)
        parts.append((section, memory))
    }

    /// Writes everything under another name first; on failure nothing is left behind.
    package func write(to path: String, _ pool: WorkerPool) throws(ComputeError) {
        let temporary = "\(path).\(getpid()).new"
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw ComputeError("cannot be created: \(WeightFile.message(errno))") }
        let failure = write(to: descriptor, pool)
        close(descriptor)
        if failure == 0, rename(temporary, path) == 0 { return }
        let code = failure == 0 ? errno : failure
        unlink(temporary)
        throw ComputeError("cannot be written: \(WeightFile.message(code))")
    }

    /// Returns the system's number of what went wrong, or 0.
    private func write(to descriptor: Int32, _ pool: WorkerPool) -> Int32 {
        let placed = placedSections()
        let hashCount = placed.sections.reduce(0) { $0 + $1.chunkCount }
        let hashes = UnsafeMutablePointer<UInt64>.allocate(capacity: max(1, hashCount))
        defer { hashes.deallocate() }
        for (section, part) in zip(placed.sections, parts) {
            nonisolated(unsafe) let into = hashes + section.firstHash
            let failure = WorkFailure()
            let memory = part.memory
            pool.run { worker in
                for index in worker.share(of: section.chunkCount) {
                    let range = section.range(index)
                    into[index] = mk_hash64(memory.pointer + range.lowerBound, range.count)
                    let code = Self.write(
                        descriptor, memory.pointer + range.lowerBound, range.count,
                        at: section.offset + range.lowerBound)
                    if code != 0 { return failure.code.store(code, ordering: .relaxed) }
                }
            }
            let code = failure.code.load(ordering: .relaxed)
            if code != 0 { return code }
        }
        var words = WeightFile.magic + [WeightFile.version] + fingerprint.words
        words += [UInt64(placed.words), UInt64(parts.count), UInt64(placed.size)]
        for section in placed.sections {
            words += [section.key, section.format, UInt64(section.byteCount), UInt64(section.offset)]
        }
        words += UnsafeBufferPointer(start: hashes, count: hashCount)
        words.append(WeightFile.hash(words))
        return words.withUnsafeBytes { bytes in
            bytes.baseAddress.map { Self.write(descriptor, $0, bytes.count, at: 0) } ?? 0
        }
    }

    /// The sections with their places, the words before them, and the size of the file.
    private func placedSections() -> (sections: [WeightFile.Section], words: Int, size: Int) {
        let hashes = parts.reduce(0) { $0 + $1.section.chunkCount }
        let words = WeightFile.fixedWords + parts.count * WeightFile.Section.words + hashes + 1
        var sections: [WeightFile.Section] = []
        var end = words * 8
        var firstHash = 0
        for part in parts {
            let offset = (end + WeightFile.page - 1) / WeightFile.page * WeightFile.page
            sections.append(
                WeightFile.Section(
                    key: part.section.key, format: part.section.format, byteCount: part.section.byteCount,
                    offset: offset, firstHash: firstHash))
            firstHash += part.section.chunkCount
            end = offset + part.section.byteCount
        }
        return (sections, words, end)
    }

    private static func write(_ descriptor: Int32, _ from: UnsafeRawPointer, _ count: Int, at offset: Int) -> Int32 {
        var done = 0
        while done < count {
            let part = pwrite(descriptor, from + done, count - done, off_t(offset + done))
            if part < 0, errno == EINTR { continue }
            guard part > 0 else { return part < 0 ? errno : ENOSPC }
            done += part
        }
        return 0
    }
}
