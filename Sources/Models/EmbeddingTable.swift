import CKernels
import Checkpoints
import Compute

/// Token embeddings, one row each, in the model's storage type.
final class EmbeddingTable: @unchecked Sendable {
    let rows: Int
    let columns: Int
    private let storage: StorageType
    let memory: Memory

    /// Rows that were kept in a file.
    init(_ memory: Memory, rows: Int, columns: Int, storage: StorageType) {
        self.rows = rows
        self.columns = columns
        self.storage = storage
        self.memory = memory
    }

    /// A copy of `tensor`, made by all workers of `pool` or by the calling thread alone.
    init(_ tensor: TensorView, rows: Int, columns: Int, storage: StorageType, pool: WorkerPool? = nil) throws {
        self.rows = rows
        self.columns = columns
        self.storage = storage
        let memory = try Memory(byteCount: rows * columns * storage.byteCount)
        self.memory = memory
        let type = tensor.storage
        guard let pool else {
            tensor.withBytes { bytes in
                guard let base = bytes.baseAddress else { return }
                mk_convert(memory.pointer, storage.kernelType, base, type.kernelType, rows * columns)
            }
            return
        }
        guard let base = tensor.bytes.baseAddress else { return }
        nonisolated(unsafe) let from = base
        pool.run { worker in
            let range = worker.share(of: rows)
            mk_convert(
                memory.pointer + range.lowerBound * columns * storage.byteCount, storage.kernelType,
                from + range.lowerBound * columns * type.byteCount, type.kernelType, range.count * columns)
        }
    }

    var byteCount: Int { memory.byteCount }

    /// Whether both hold the same rows in every bit.
    func equals(_ other: EmbeddingTable) -> Bool {
        rows == other.rows && columns == other.columns && storage == other.storage && memory.equals(other.memory)
    }

    /// Row `row` in float.
    func read(_ row: Int, to out: UnsafeMutablePointer<Float>) {
        storage.convert(memory.pointer + row * columns * storage.byteCount, to: out, count: columns)
    }
}

extension StorageType {
    /// Converts `count` values to float.
    func convert(_ from: UnsafeRawPointer, to: UnsafeMutablePointer<Float>, count: Int) {
        mk_convert(to, mk_float32, from, kernelType, count)
    }
}
