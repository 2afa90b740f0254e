package import Adapters
import CKernels
import Checkpoints
import Compute

/// Executes a decoder on the processor's kernels.
package final class DecoderRunner: ModelRunner {
    package var shape: ModelShape { model.shape }
    private let model: DecoderModel
    private let kernels: KernelSet
    private let pool: WorkerPool
    private let rope: RopeTable?
    private let phases: WorkPhases
    private var cache: PagedCache?
    private var scratch: DecoderScratch?

    init(_ description: DecoderDescription, _ source: ModelSource, pool: WorkerPool) throws {
        model = try DecoderModel(description, source, pool: pool)
        kernels = source.kernels
        self.pool = pool
        phases = WorkPhases(count: DecoderStep.phaseCount(layers: model.shape.layers))
        if case .rotary(let parameters) = description.positions {
            rope = try RopeTable(parameters, headDim: model.shape.headDim, maxPositions: model.shape.maxPositions)
        } else {
            rope = nil
        }
    }

    package var catalog: ModelCatalog { model.catalog }

    package func pack(_ adapter: LoadedAdapter) throws -> any PackedAdapter {
        try DecoderAdapter(adapter, model, kernels.tensor)
    }

    package func bytesPerBlock(blockSize: Int, dtype: CacheDType) -> Int {
        PagedCache.bytesPerBlock(shape, blockSize: blockSize, dtype: dtype) * shape.layers
    }

    package func allocateCache(blocks: Int, blockSize: Int, dtype: CacheDType) throws {
        cache = nil
        cache = try PagedCache(shape, blocks: blocks, blockSize: blockSize, dtype: dtype)
    }

    package func copyBlocks(_ pairs: [(from: Int32, to: Int32)]) {
        for pair in pairs { cache?.copy(from: Int(pair.from), to: Int(pair.to)) }
    }

    package func discardBlocks(_ ranges: [Range<Int>]) {
        for range in ranges { cache?.discard(range) }
    }

    package func writePrefix(_ prefix: KeyValuePrefix, to blocks: [Int32]) throws {
        guard let cache else { throw ComputeError("the KV cache was not allocated") }
        let row = try FloatBuffer(count: prefix.values.shape[1])
        let type = prefix.values.storage
        prefix.values.withBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            for position in 0..<prefix.tokenCount {
                type.convert(base + position * row.count * type.byteCount, to: row.values, count: row.count)
                let block = Int64(blocks[position / cache.blockSize])
                let slot = block * Int64(cache.blockSize) + Int64(position % cache.blockSize)
                for (layer, layerShape) in prefix.layers.enumerated() {
                    let keys = row.values + prefix.offset(layer: layer)
                    withUnsafePointer(to: cache.kernelShape) {
                        kernels.tensor.write_kv(
                            $0, cache.layer(layer), slot, keys, keys + layerShape.heads * layerShape.dimension)
                    }
                }
            }
        }
    }

    package func execute(_ batch: ForwardBatch, logits: UnsafeMutablePointer<Float>) throws {
        guard !batch.tokens.isEmpty else { return }
        guard let cache else { throw ComputeError("the KV cache was not allocated") }
        assert(batch.isValid(vocabularySize: batch.logitWidth(shape), blocks: cache.blocks, blockSize: cache.blockSize))
        try rope?.reserve(Int(batch.positions.max() ?? 0) + 1)
        let scratch = try scratch(for: batch.tokens.count)
        let adapters = AdapterBatch(batch)
        if let adapters { try reserve(adapters, scratch) }
        let sequences = batch.sequences.map {
            mk_sequence(
                token_start: $0.tokenStart, token_count: $0.tokenCount, context_length: $0.contextLength,
                block_table_start: $0.blockTableStart)
        }
        batch.blockTables.withUnsafeBufferPointer { tables in
            guard let tables = tables.baseAddress else { return }
            nonisolated(unsafe) let step = DecoderStep(
                model: model, kernelSet: kernels, kernels: kernels.tensor, cache: cache, scratch: scratch, rope: rope,
                batch: batch,
                adapters: adapters, sequences: sequences, attentionItems: AttentionItem.items(sequences, shape),
                blockTables: tables,
                logits: logits, logitStride: batch.logitWidth(shape), phases: phases.begin())
            pool.runPhases { step.execute($0) }
        }
    }

    private func reserve(_ adapters: AdapterBatch, _ scratch: DecoderScratch) throws {
        try scratch.reserveVectors(max(1, adapters.vectorWidth), workers: pool.workerCount)
        let widest = max(shape.hiddenSize, shape.heads * shape.headDim, model.intermediateSize)
        let products =
            adapters.hasProducts ? AdapterProduct.Scratch.count(tokens: AdapterBatch.chunkRows, inputs: widest) : 0
        try scratch.reserveProducts(max(products, adapters.headRowCount), workers: pool.workerCount)
        if adapters.hasProducts {
            try scratch.reserveProductRows(AdapterBatch.chunkRows, workers: pool.workerCount, kernels)
        }
    }

    private func scratch(for tokens: Int) throws -> DecoderScratch {
        if let scratch, scratch.capacity >= tokens { return scratch }
        // The old buffers go before the new ones come.
        scratch = nil
        let made = try DecoderScratch(model, capacity: max(tokens, 64), kernels)
        scratch = made
        return made
    }
}

extension ForwardBatch {
    /// Whether every index in the batch is within its range; for debug builds, as the scheduler is trusted.
    func isValid(vocabularySize: Int, blocks: Int, blockSize: Int) -> Bool {
        let slices = sequences.allSatisfy { slice in
            let used = (Int(slice.contextLength) + blockSize - 1) / blockSize
            let first = Int(slice.blockTableStart)
            let token = Int(slice.tokenStart)
            let count = Int(slice.tokenCount)
            guard count > 0, slice.contextLength >= slice.tokenCount, first >= 0, first + used <= blockTables.count,
                token >= 0, token + count <= tokens.count
            else { return false }
            return (0..<count).allSatisfy { Int(positions[token + $0]) == Int(slice.contextLength) - count + $0 }
        }
        return slices && positions.count == tokens.count
            && tokens.indices.allSatisfy {
                tokens[$0] >= 0 ? Int(tokens[$0]) < vocabularySize : embeddedRows(of: $0) != nil
            }
            && blockTables.allSatisfy { $0 >= 0 && Int($0) < blocks }
            && logitRows.allSatisfy { $0 >= 0 && Int($0) < tokens.count }
    }
}
