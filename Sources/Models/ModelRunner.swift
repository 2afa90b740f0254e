package import Adapters

/// Executes steps of one loaded model: the boundary below which there are tensors.
///
/// A runner knows no requests and no queue. One thread uses it at a time.
package protocol ModelRunner: AnyObject {
    var shape: ModelShape { get }

    /// What adapters must know of the model.
    var catalog: ModelCatalog { get }

    /// Brings an adapter into the kernels' formats. Any thread may do this while another executes steps.
    ///
    /// - Throws: `CheckpointError` naming what this architecture cannot execute, `ComputeError` without memory.
    func pack(_ adapter: LoadedAdapter) throws -> any PackedAdapter

    /// Bytes that one block of `blockSize` positions takes over all layers.
    func bytesPerBlock(blockSize: Int, dtype: CacheDType) -> Int

    /// Reserves the KV cache, instead of an earlier one; memory is committed as blocks are first written.
    func allocateCache(blocks: Int, blockSize: Int, dtype: CacheDType) throws

    /// Writes an adapter's trained keys and values into blocks, from the first position on, in the cache's type.
    ///
    /// Any thread may do this while another executes steps, as long as no sequence has the blocks.
    func writePrefix(_ prefix: KeyValuePrefix, to blocks: [Int32]) throws

    /// Executes one step and writes one row of logits for each of `batch.logitRows`, `batch.logitWidth` numbers apart.
    ///
    /// A row has as many logits as the vocabulary of its token's adapters, or of the model, has tokens; what follows
    /// them is undefined.
    /// A row's logits depend on its own sequence alone, bit for bit: neither on the other sequences, nor on the division
    /// into steps, the block size or the number of threads.
    func execute(_ batch: ForwardBatch, logits: UnsafeMutablePointer<Float>) throws

    /// Copies whole blocks in all layers, in order.
    func copyBlocks(_ pairs: [(from: Int32, to: Int32)])

    /// Gives the physical memory of runs of blocks back to the system, in all layers.
    ///
    /// Only whole pages within a run go: join neighbours into one range. What the blocks held is lost, and they may be
    /// written again at any time; a system call for each run and layer.
    func discardBlocks(_ ranges: [Range<Int>])
}

/// An adapter that a runner can execute; it does not change any more, so any thread may hold it.
package protocol PackedAdapter: AnyObject, Sendable {
    var digest: AdapterDigest { get }
    /// Size of the vocabulary with the adapter's own tokens.
    var vocabularySize: Int { get }
    /// Which modules it changes and how.
    var footprint: AdapterFootprint { get }
    /// Bytes of its packed weights.
    var byteCount: Int { get }
    /// What it puts before the prompt, if anything.
    var virtualTokens: VirtualTokens? { get }
}

/// The type in which a model's weights are held.
package enum ModelDType: String, Sendable, CaseIterable {
    /// The checkpoint's: bfloat16 for bfloat16, float32 for float32, and float32 for float16, which holds values that
    /// bfloat16 would round.
    case auto
    case float32
    case bfloat16
}

/// The sizes of a model that its users must know.
package struct ModelShape: Sendable {
    package var architecture: String
    /// Never `auto`.
    package var dtype: ModelDType
    package var layers: Int
    package var hiddenSize: Int
    package var heads: Int
    package var kvHeads: Int
    package var headDim: Int
    package var vocabularySize: Int
    /// Most positions of a sequence.
    package var maxPositions: Int
    package var parameterCount: Int
    /// Bytes of the packed weights.
    package var weightBytes: Int
    /// Bytes of those that every step reads: all but a table from which single rows are taken.
    package var weightBytesPerStep: Int
}
