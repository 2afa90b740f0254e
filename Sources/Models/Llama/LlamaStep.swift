import CKernels
import Compute

/// One step of a Llama model, executed by all workers together.
///
/// Every worker runs `execute`; each operation is divided by rows, panels of columns or attention items, and the workers
/// meet at a barrier before the next one reads what this one wrote. How work is divided never changes a bit of it.
struct LlamaStep {
    let model: LlamaModel
    let kernels: mk_tensor_kernels
    let cache: PagedCache
    let scratch: LlamaScratch
    let rope: RopeTable
    let batch: ForwardBatch
    let sequences: [mk_sequence]
    let blockTables: UnsafePointer<Int32>
    let logits: UnsafeMutablePointer<Float>

    private var shape: ModelShape { model.shape }
    private var tokens: Int { batch.tokens.count }

    func execute(_ worker: Worker) {
        for row in worker.share(of: tokens) { embed(row) }
        for index in 0..<shape.layers {
            let layer = model.layers[index]
            attention(layer, index, worker)
            feedForward(layer, worker)
        }
        head(worker)
    }

    private func embed(_ row: Int) {
        let token = Int(batch.tokens[row])
        let out = scratch.hidden[row]
        if let embeddings = model.embeddings {
            embeddings.read(token, to: out)
        } else {
            withUnsafePointer(to: model.head.packed) {
                mk_unpack_column($0, Int32(token), 0, Int32(shape.hiddenSize), out)
            }
        }
    }

    /// Attention block; begins with rows of the residual stream that this worker itself has written, or a barrier.
    private func attention(_ layer: LlamaModel.Layer, _ index: Int, _ worker: Worker) {
        normalize(layer.inputNorm, worker)
        worker.barrier()
        let heads = shape.heads * shape.headDim
        let keys = shape.kvHeads * shape.headDim
        multiply(layer.attention, scratch.normed, into: scratch.queriesKeysValues, accumulate: false, worker)
        worker.barrier()
        for row in worker.share(of: tokens) { rotateAndStore(row, index, heads: heads, keys: keys) }
        worker.barrier()
        attend(index, worker)
        worker.barrier()
        multiply(layer.attentionOutput, scratch.attended, into: scratch.hidden, accumulate: true, worker)
        worker.barrier()
    }

    private func feedForward(_ layer: LlamaModel.Layer, _ worker: Worker) {
        normalize(layer.feedForwardNorm, worker)
        worker.barrier()
        let pairs = worker.share(of: layer.feedForward.panelCount / 2)
        withUnsafePointer(to: layer.feedForward.packed) {
            kernels.gated_matmul(
                $0, Int32(pairs.lowerBound), Int32(pairs.upperBound), scratch.normed[0], scratch.normed.stride,
                Int32(tokens), scratch.gated[0], scratch.gated.stride, Int32(model.intermediateSize),
                layer.feedForward.bias?.values, model.activation)
        }
        worker.barrier()
        multiply(layer.feedForwardOutput, scratch.gated, into: scratch.hidden, accumulate: true, worker)
        worker.barrier()
    }

    /// Logits of the rows asked for.
    private func head(_ worker: Worker) {
        let rows = batch.logitRows
        guard !rows.isEmpty else { return }
        for index in worker.share(of: rows.count) {
            kernels.rms_norm(
                scratch.hidden[Int(rows[index])], model.outputNorm.values, model.normEpsilon, Int32(shape.hiddenSize),
                scratch.normed[index])
        }
        worker.barrier()
        let panels = worker.share(of: model.head.panelCount)
        withUnsafePointer(to: model.head.packed) {
            kernels.matmul(
                $0, Int32(panels.lowerBound), Int32(panels.upperBound), scratch.normed[0], scratch.normed.stride,
                Int32(rows.count), logits, shape.vocabularySize, nil, false)
        }
    }

    private func normalize(_ weight: FloatBuffer, _ worker: Worker) {
        for row in worker.share(of: tokens) {
            kernels.rms_norm(
                scratch.hidden[row], weight.values, model.normEpsilon, Int32(shape.hiddenSize), scratch.normed[row])
        }
    }

    private func multiply(
        _ layer: PackedLinear, _ input: LlamaScratch.Rows, into output: LlamaScratch.Rows, accumulate: Bool,
        _ worker: Worker
    ) {
        let panels = worker.share(of: layer.panelCount)
        withUnsafePointer(to: layer.packed) {
            kernels.matmul(
                $0, Int32(panels.lowerBound), Int32(panels.upperBound), input[0], input.stride, Int32(tokens),
                output[0], output.stride, layer.bias?.values, accumulate)
        }
    }

    /// Rotates q and k of a token and puts k and v where attention will read them.
    private func rotateAndStore(_ row: Int, _ layer: Int, heads: Int, keys: Int) {
        let position = Int(batch.positions[row])
        let values = scratch.queriesKeysValues[row]
        kernels.rope(
            values, Int32(shape.heads + shape.kvHeads), Int32(shape.headDim), Int32(rope.rotary),
            rope.cosine(position), rope.sine(position))
        withUnsafePointer(to: cache.kernelShape) {
            kernels.write_kv($0, cache.layer(layer), slot(row), values + heads, values + heads + keys)
        }
    }

    /// Where K and V of a token are kept.
    private func slot(_ row: Int) -> Int64 {
        // Slices are in the order of their tokens.
        var low = 0
        var high = sequences.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if Int(sequences[middle].token_start) <= row { low = middle } else { high = middle }
        }
        let position = Int(batch.positions[row])
        let block = blockTables[Int(sequences[low].block_table_start) + position / cache.blockSize]
        return Int64(block) * Int64(cache.blockSize) + Int64(position % cache.blockSize)
    }

    /// Attention items: one KV head and a few tokens of one sequence, dealt out in turn.
    private func attend(_ layer: Int, _ worker: Worker) {
        var attention = mk_attention(
            shape: cache.kernelShape, cache: cache.layer(layer), block_tables: blockTables,
            q: scratch.queriesKeysValues[0], q_stride: scratch.queriesKeysValues.stride, out: scratch.attended[0],
            out_stride: scratch.attended.stride, heads: Int32(shape.heads),
            scale: 1 / Float(shape.headDim).squareRoot(), window: 0)
        let group = max(1, 32 * shape.kvHeads / shape.heads)
        var item = 0
        for var sequence in sequences {
            for head in 0..<shape.kvHeads {
                for token in stride(from: 0, to: Int(sequence.token_count), by: group) {
                    defer { item += 1 }
                    guard item % worker.count == worker.index else { continue }
                    let count = min(group, Int(sequence.token_count) - token)
                    kernels.attend(&attention, &sequence, Int32(head), Int32(token), Int32(count))
                }
            }
        }
    }
}
