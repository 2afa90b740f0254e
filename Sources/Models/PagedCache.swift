import CKernels
import Compute

/// The KV cache of all layers: `[layer][block]`, each block as `mk_cache_shape` lays it out.
final class PagedCache: @unchecked Sendable {
    let blocks: Int
    let blockSize: Int
    let layers: Int
    let kernelShape: mk_cache_shape
    private let blockBytes: Int
    private let memory: Memory

    static let supportedBlockSizes = [1, 2, 4, 8, 16, 32, 64, 128]

    init(_ shape: ModelShape, blocks: Int, blockSize: Int, dtype: CacheDType) throws(ComputeError) {
        guard Self.supportedBlockSizes.contains(blockSize) else {
            throw ComputeError("a KV block of \(blockSize) positions is not possible, only a power of two up to 128")
        }
        self.blocks = blocks
        self.blockSize = blockSize
        layers = shape.layers
        kernelShape = Self.kernelShape(shape, blockSize: blockSize, dtype: dtype)
        blockBytes = Self.bytesPerBlock(shape, blockSize: blockSize, dtype: dtype)
        let (bytes, overflow) = (blockBytes * layers).multipliedReportingOverflow(by: blocks)
        guard blocks > 0, !overflow else { throw ComputeError("a KV cache of \(blocks) blocks is not possible") }
        memory = try Memory(byteCount: bytes)
    }

    /// Bytes of one block of one layer.
    static func bytesPerBlock(_ shape: ModelShape, blockSize: Int, dtype: CacheDType) -> Int {
        withUnsafePointer(to: kernelShape(shape, blockSize: blockSize, dtype: dtype)) { mk_cache_block_bytes($0) }
    }

    private static func kernelShape(_ shape: ModelShape, blockSize: Int, dtype: CacheDType) -> mk_cache_shape {
        mk_cache_shape(
            storage: dtype.kernelType, kv_heads: Int32(shape.kvHeads), head_dim: Int32(shape.headDim),
            block_size: Int32(blockSize))
    }

    func layer(_ layer: Int) -> UnsafeMutableRawPointer { memory.pointer + layer * blocks * blockBytes }

    func copy(from: Int, to: Int) {
        guard from != to, from >= 0, to >= 0, from < blocks, to < blocks else { return }
        for index in 0..<layers {
            let base = layer(index)
            (base + to * blockBytes).copyMemory(from: base + from * blockBytes, byteCount: blockBytes)
        }
    }

    /// Gives the memory of a run of blocks back to the system, as far as it fills pages; what they held is lost.
    func discard(_ range: Range<Int>) {
        let run = range.clamped(to: 0..<blocks)
        for index in 0..<layers {
            let start = index * blocks
            memory.discard((start + run.lowerBound) * blockBytes..<(start + run.upperBound) * blockBytes)
        }
    }
}

extension ModelShape {
    /// How weights are stored.
    var storage: StorageType { dtype == .bfloat16 ? .bfloat16 : .float32 }
}
