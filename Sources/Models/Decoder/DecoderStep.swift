import CKernels
import Compute

/// One step of a decoder, executed by all workers together.
///
/// Every worker runs `execute`; each phase is divided into rows, panels of columns or attention items, and the next one
/// begins when all pieces are done. How work is divided and who does it never changes a bit of it.
struct DecoderStep {
    let model: DecoderModel
    let kernelSet: KernelSet
    let kernels: mk_tensor_kernels
    let cache: PagedCache
    let scratch: DecoderScratch
    /// Nil where queries and keys are not rotated.
    let rope: RopeTable?
    let batch: ForwardBatch
    /// Nil when no token has an adapter.
    let adapters: AdapterBatch?
    let sequences: [mk_sequence]
    let attentionItems: [AttentionItem]
    let blockTables: UnsafePointer<Int32>
    let logits: UnsafeMutablePointer<Float>
    let logitStride: Int
    let phases: WorkPhases.Round

    var shape: ModelShape { model.shape }
    var tokens: Int { batch.tokens.count }

    /// Phases of a layer; those of adapters and of preparing rows are left out when there is nothing to do.
    private static let layerPhases = 14

    /// Phases of a step of a model with `layers` layers.
    static func phaseCount(layers: Int) -> Int { 1 + layerPhases * layers + 4 }

    func execute(_ worker: Worker) {
        let rows = Pieces(tokens, workers: worker.count)
        phases.run(0, pieces: rows.count) { piece in
            for row in rows[piece] { embed(row) }
        }
        for index in 0..<shape.layers {
            attention(index, firstPhase: 1 + Self.layerPhases * index, worker)
            feedForward(index, firstPhase: 9 + Self.layerPhases * index, worker)
        }
        head(firstPhase: 1 + Self.layerPhases * shape.layers, worker)
    }

    private func embed(_ row: Int) {
        let out = model.embeddingNorm == nil ? scratch.hidden[row] : scratch.normed[row]
        if batch.tokens[row] < 0 {
            guard let rows = batch.embeddedRows(of: row) else { return }
            rows.embeddings.read(rows.first + row - rows.tokenStart, to: out)
        } else if let adapters, adapters.hasEmbeddings {
            embed(row, adapters.terms(of: row), to: out)
        } else {
            model.readEmbedding(batch.tokens[row], to: out)
        }
        guard let norm = model.embeddingNorm else { return }
        let place = DecoderAdapter.embeddingNorm(layers: shape.layers)
        normalize(out, self.norm(of: row, norm, place), to: scratch.hidden[row])
    }

    private func attention(_ index: Int, firstPhase phase: Int, _ worker: Worker) {
        let layer = model.layers[index]
        let workers = worker.count
        normalize(layer.inputNorm, DecoderAdapter.norm(.input, layer: index), phase, workers)
        if let adapters {
            let change = AdapterChange(adapters, .attention, layer: index)
            shrink(change, scratch.normed, phase + 1, workers)
            multiply(
                layer.attention, change, scratch.normed, rows: tokens, into: scratch.projected[0],
                stride: scratch.projected.stride, phase + 2, worker)
        } else {
            multiply(
                layer.attention, scratch.normed, rows: tokens, into: scratch.projected[0],
                stride: scratch.projected.stride, accumulate: false, phase + 2, workers)
        }
        let rows = Pieces(tokens, workers: workers)
        phases.run(phase + 3, pieces: rows.count) { piece in
            for row in rows[piece] { rotateAndStore(row, index) }
        }
        attend(index, phase + 4)
        project(layer.attentionOutput, index, .attentionOutput, scratch.attended, phase + 5, worker)
    }

    private func feedForward(_ index: Int, firstPhase phase: Int, _ worker: Worker) {
        let layer = model.layers[index]
        normalize(layer.feedForwardNorm, DecoderAdapter.norm(.feedForward, layer: index), phase, worker.count)
        if let adapters {
            let change = AdapterChange(adapters, .feedForward, layer: index)
            shrink(change, scratch.normed, phase + 1, worker.count)
            if model.isGated {
                gate(layer.feedForward, change, phase + 2, worker)
            } else {
                expand(layer.feedForward, change, phase + 2, worker)
            }
        } else if !model.isGated {
            expand(layer.feedForward, phase + 2, worker.count)
        } else {
            let pairs = Pieces(
                layer.feedForward.panelCount / 2, unitBytes: 2 * layer.feedForward.panelBytes, workers: worker.count)
            phases.run(phase + 2, pieces: pairs.count) { gate(layer.feedForward, pairs[$0], tokens: tokens) }
        }
        project(layer.feedForwardOutput, index, .feedForwardOutput, scratch.gated, phase + 3, worker)
    }

    /// Adds a layer's outputs to the residual stream.
    private func project(
        _ layer: PackedLinear, _ index: Int, _ site: DecoderAdapter.Site,
        _ input: LinearInput, _ phase: Int, _ worker: Worker
    ) {
        prepare(input, phase, worker.count)
        guard let adapters else {
            return multiply(
                layer, input, rows: tokens, into: scratch.hidden[0], stride: scratch.hidden.stride, accumulate: true,
                phase + 2, worker.count)
        }
        let change = AdapterChange(adapters, site, layer: index)
        shrink(change, input, phase + 1, worker.count)
        addProduct(layer, change, input, phase + 2, worker)
    }

    /// Logits of the rows asked for.
    private func head(firstPhase phase: Int, _ worker: Worker) {
        let rows = batch.logitRows
        guard !rows.isEmpty else { return }
        let pieces = Pieces(rows.count, workers: worker.count)
        let input = scratch.headInput
        let norm = DecoderAdapter.outputNorm(layers: shape.layers)
        phases.run(phase, pieces: pieces.count) { piece in
            for index in pieces[piece] {
                let row = Int(rows[index])
                normalize(row, self.norm(of: row, model.outputNorm, norm), to: input, index)
            }
        }
        if let adapters, adapters.hasHead {
            let change = AdapterChange(headOf: adapters)
            shrink(change, input, phase + 1, worker.count)
            multiply(
                model.head, change, input, rows: rows.count, into: logits, stride: logitStride, phase + 2,
                worker)
        } else {
            multiply(
                model.head, input, rows: rows.count, into: logits, stride: logitStride, accumulate: false,
                phase + 2, worker.count)
        }
        if let adapters, adapters.hasHeadRows { replaceHeadRows(adapters, phase + 3, worker) }
    }

    /// - Parameter place: the norm's in `DecoderAdapter.norms`.
    private func normalize(_ norm: DecoderNorm, _ place: Int, _ phase: Int, _ workers: Int) {
        let pieces = Pieces(tokens, workers: workers)
        let hasNorms = adapters?.hasNorms ?? false
        phases.run(phase, pieces: pieces.count) { piece in
            for row in pieces[piece] {
                // Counting references to what all workers read would cost more than it looks.
                normalize(row, hasNorms ? self.norm(of: row, norm, place) : norm, to: scratch.normed, row)
            }
        }
    }

    /// The token's norm: the model's, or that of an adapter.
    private func norm(of token: Int, _ norm: DecoderNorm, _ place: Int) -> DecoderNorm {
        guard let adapters, adapters.hasNorms else { return norm }
        return adapters.terms(of: token).reduce(norm) { $1.adapter.norms[place] ?? $0 }
    }

    /// Normalises a token's residual stream into row `row` of what linear layers read.
    private func normalize(_ token: Int, _ norm: DecoderNorm, to out: LinearInput, _ row: Int) {
        if let prepared = out.prepared, model.description.norm == .rms {
            // Only adapters read the floats.
            prepared.prepare(
                row, normalizing: scratch.hidden[token], weight: norm.weight.values, epsilon: model.normEpsilon,
                normed: adapters == nil ? nil : out[row])
        } else {
            normalize(scratch.hidden[token], norm, to: out[row])
            out.prepare(row)
        }
    }

    private func normalize(_ input: UnsafePointer<Float>, _ norm: DecoderNorm, to out: UnsafeMutablePointer<Float>) {
        let size = Int32(shape.hiddenSize)
        switch model.description.norm {
        case .rms: kernels.rms_norm(input, norm.weight.values, model.normEpsilon, size, out)
        case .layer: kernels.layer_norm(input, norm.weight.values, norm.bias?.values, model.normEpsilon, size, out)
        }
    }

    /// Rotates queries and keys of a token and puts keys and values where attention will read them.
    private func rotateAndStore(_ row: Int, _ layer: Int) {
        if model.description.modules.isAttentionByHead { separateHeads(row) }
        let heads = shape.heads * shape.headDim
        let keys = shape.kvHeads * shape.headDim
        let position = Int(batch.positions[row])
        let values = scratch.queriesKeysValues[row]
        if let rope {
            kernels.rope(
                values, Int32(shape.heads + shape.kvHeads), Int32(shape.headDim), Int32(rope.rotary),
                rope.cosine(position), rope.sine(position))
        }
        withUnsafePointer(to: cache.kernelShape) {
            kernels.write_kv($0, cache.layer(layer), slot(row), values + heads, values + heads + keys)
        }
    }

    /// Brings what lies head by head into the order of queries, keys, values.
    private func separateHeads(_ row: Int) {
        let channels = shape.heads * shape.headDim
        for part in 0..<3 {
            mk_copy_rows(
                scratch.queriesKeysValues[row] + part * channels, shape.headDim,
                scratch.projected[row] + part * shape.headDim, 3 * shape.headDim, shape.heads, shape.headDim)
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

    private func attend(_ layer: Int, _ phase: Int) {
        var attention = mk_attention(
            shape: cache.kernelShape, cache: cache.layer(layer), block_tables: blockTables,
            q: scratch.queriesKeysValues[0], q_stride: scratch.queriesKeysValues.stride, out: scratch.attended[0],
            out_stride: scratch.attended.stride, heads: Int32(shape.heads),
            scale: 1 / Float(shape.headDim).squareRoot(), window: model.description.windows[layer],
            slopes: model.slopes.map { UnsafePointer($0.values) })
        withUnsafePointer(to: &attention) { attention in
            phases.run(phase, pieces: attentionItems.count) { piece in
                let item = attentionItems[piece]
                withUnsafePointer(to: sequences[item.sequence]) {
                    kernels.attend(attention, $0, item.kvHead, item.token, item.tokenCount)
                }
            }
        }
    }
}

/// A piece of attention: some tokens of one sequence, for the query heads of one KV head.
struct AttentionItem {
    let sequence: Int
    let kvHead: Int32
    /// First token, counted within the sequence's slice.
    let token: Int32
    let tokenCount: Int32

    /// Items for a batch, about 32 rows of queries each: enough to share every load of K and V, few enough to divide.
    static func items(_ sequences: [mk_sequence], _ shape: ModelShape) -> [AttentionItem] {
        let step = Int32(max(1, 32 * shape.kvHeads / shape.heads))
        var items: [AttentionItem] = []
        items.reserveCapacity(
            sequences.reduce(0) { $0 + Int(($1.token_count + step - 1) / step) } * shape.kvHeads)
        for (index, sequence) in sequences.enumerated() {
            for head in 0..<Int32(shape.kvHeads) {
                for token in stride(from: 0, to: sequence.token_count, by: Int(step)) {
                    items.append(
                        AttentionItem(
                            sequence: index, kvHead: head, token: token,
                            tokenCount: min(step, sequence.token_count - token)))
                }
            }
        }
        return items
    }
}
