import Synchronization

/// One safetensors file, mapped, with a checked header.
package final class SafetensorsFile: Sendable {
    private let file: MappedFile
    private let header: SafetensorsHeader
    private let index: [String: Int]
    /// Aligned copies of tensors that the file does not store at a multiple of their element size.
    private let copies = Mutex<[String: AlignedCopy]>([:])

    package var path: String { file.path }
    package var metadata: [String: String] { header.metadata }
    /// Names of the tensors in the order of their data.
    package var names: [String] { header.tensors.map(\.name) }

    /// Maps the file at `path` and checks its header.
    package init(path: String) throws(CheckpointError) {
        file = try MappedFile(path: path)
        header = try SafetensorsHeader(file.bytes, path: path)
        index = Dictionary(header.tensors.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Tells this state of the file from others without reading its data: name, size, time of change and a digest of
    /// the header.
    package var stamp: String {
        let header = file.withBytes { bytes in
            let length = bytes.count >= 8 ? bytes.loadUnaligned(as: UInt64.self).littleEndian : 0
            let end = min(bytes.count, Int(clamping: length) &+ 8)
            return SHA256.digest(Array(bytes[..<max(0, end)]))
        }
        let name = path.split(separator: "/").last ?? ""
        return "\(name) \(file.bytes.count) \(file.modified) \(header)"
    }

    /// The entry of the header for the tensor `name`. O(1).
    package func entry(_ name: String) -> SafetensorsHeader.Tensor? { index[name].map { header.tensors[$0] } }

    /// The tensor `name`, or nil if the file has none.
    ///
    /// The format does not promise alignment: a tensor whose data is misaligned is copied once, O(bytes).
    package func tensor(_ name: String) -> TensorView? {
        guard let entry = entry(name) else { return nil }
        let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[entry.range])
        let isAligned = Int(bitPattern: bytes.baseAddress) % entry.dtype.alignment == 0
        let copy = isAligned ? nil : alignedCopy(of: bytes, name)
        return TensorView(
            name: name, dtype: entry.dtype, shape: entry.shape, bytes: copy?.bytes ?? bytes, owner: copy ?? file)
    }

    /// Gives back the memory behind the tensor `name`; the next use reads the file again. Views of it stay valid.
    package func release(_ name: String) {
        guard let entry = entry(name) else { return }
        copies.withLock { $0[name] = nil }
        file.release(entry.range)
    }

    private func alignedCopy(of bytes: UnsafeRawBufferPointer, _ name: String) -> AlignedCopy {
        copies.withLock { copies in
            if let copy = copies[name] { return copy }
            let copy = AlignedCopy(bytes)
            copies[name] = copy
            return copy
        }
    }
}

/// A copy of some bytes at an address that is a multiple of 64.
private final class AlignedCopy: Sendable {
    nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

    init(_ source: UnsafeRawBufferPointer) {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: source.count, alignment: 64)
        memory.copyMemory(from: source)
        bytes = UnsafeRawBufferPointer(memory)
    }

    deinit { bytes.deallocate() }
}
