import CKernels
import Compute

/// What the adapters of a step do to one group of linear layers.
struct AdapterChange {
    let chunks: [AdapterBatch.Chunk]
    /// First row with adapters, of a layer whose rows are tokens.
    let firstRow: Int
    private let group: Int

    init(_ adapters: AdapterBatch, _ site: DecoderAdapter.Site, layer: Int) {
        chunks = adapters.chunks
        firstRow = adapters.firstToken
        group = DecoderAdapter.group(site, layer: layer)
    }

    /// The change of the output head, whose rows are those of the logits.
    init(headOf adapters: AdapterBatch) {
        chunks = adapters.logitChunks
        firstRow = 0
        group = (chunks.first?.terms.first?.adapter.groups.count ?? 1) - 1
    }

    /// The groups of a chunk's adapters in order, each with its adapter's weight and where its vectors begin.
    @inline(__always)
    func forEachGroup(of chunk: AdapterBatch.Chunk, _ body: (AdapterGroup, _ weight: Float, _ vector: Int) -> Void) {
        var first = 0
        for term in chunk.terms {
            let group = term.adapter.groups[group]
            body(group, term.scale, first)
            first += group.rank
        }
    }

    /// Panels that some adapter needs past those of the model.
    var panelCount: Int {
        chunks.reduce(0) { $1.terms.reduce($0) { max($0, $1.adapter.groups[group].panelCount) } }
    }
}

/// Linear layers with changes. For each token the layer's own product comes first, then the adapters in the order of the
/// request, each low-rank change summed up before it is added; so nothing depends on who else is in the batch. Tokens without
/// adapters get the bits that they get in a step without any.
extension DecoderStep {
    /// The vectors between A and B of all tokens with adapters.
    func shrink(_ change: AdapterChange, _ input: DecoderScratch.Rows, _ phase: Int, _ workers: Int) {
        guard let vectors = scratch.vectors else { return }
        phases.run(phase, pieces: change.chunks.count) { piece in
            let chunk = change.chunks[piece]
            change.forEachGroup(of: chunk) { group, weight, vector in
                for part in group.parts {
                    part.shrink(
                        kernels, input[chunk.start], stride: input.stride, tokens: chunk.count, weight: weight,
                        into: vectors[chunk.start] + vector + part.vectorOffset, outStride: vectors.stride)
                }
            }
        }
    }

    /// Changes one panel of some rows' outputs; `lane` picks gate or up where panels alternate.
    private func apply(
        _ change: AdapterChange, _ layer: PackedLinear, panel: Int, lane: Int?, _ input: DecoderScratch.Rows,
        rows range: Range<Int>, into out: UnsafeMutablePointer<Float>, stride: Int, _ worker: Worker
    ) {
        guard let vectors = scratch.vectors else { return }
        for chunk in change.chunks {
            let first = max(chunk.start, range.lowerBound)
            let count = min(chunk.start + chunk.count, range.upperBound) - first
            guard count > 0 else { continue }
            let out = out + (first - range.lowerBound) * stride
            change.forEachGroup(of: chunk) { group, _, vector in
                if let scratch = scratch.products?[worker.index] {
                    for product in group.products {
                        product.run(
                            kernels, layer, panel: panel, lane: lane, input[first], stride: input.stride,
                            tokens: count, into: out, outStride: stride, scratch: scratch)
                    }
                }
                for part in group.parts {
                    part.expand(
                        kernels, panel: panel, lane: lane, vectors[first] + vector + part.vectorOffset,
                        stride: vectors.stride, tokens: count, into: out, outStride: stride)
                }
                for output in group.outputs {
                    output.apply(panel: panel, lane: lane, to: out, stride: stride, tokens: count)
                }
            }
        }
    }

    /// A layer whose outputs are kept: the product, then the changes, panel by panel.
    func multiply(
        _ layer: PackedLinear, _ change: AdapterChange, _ input: DecoderScratch.Rows, rows: Int,
        into output: UnsafeMutablePointer<Float>, stride: Int, _ phase: Int, _ worker: Worker
    ) {
        let panels = Pieces(max(layer.panelCount, change.panelCount), workers: worker.count)
        phases.run(phase, pieces: panels.count) { piece in
            for group in rowGroups(layer, 0..<rows) {
                let out = output + group.lowerBound * stride
                for panel in panels[piece] {
                    if panel < layer.panelCount { product(layer, panel, input, group, into: out, stride: stride) }
                    apply(
                        change, layer, panel: panel, lane: nil, input, rows: group,
                        into: out + panel * PackedLinear.panel, stride: stride, worker)
                }
            }
        }
    }

    /// A layer whose outputs are added to the residual stream: product and changes are put together first.
    func addProduct(
        _ layer: PackedLinear, _ change: AdapterChange, _ input: DecoderScratch.Rows, _ phase: Int, _ worker: Worker
    ) {
        guard let workspace = scratch.workspaces?[worker.index] else { return }
        let stride = PackedLinear.panel
        let panels = Pieces(layer.panelCount, workers: worker.count)
        phases.run(phase, pieces: panels.count) { piece in
            for group in rowGroups(layer, 0..<tokens) {
                for panel in panels[piece] {
                    let column = panel * PackedLinear.panel
                    let bias = layer.bias.map { UnsafePointer($0.values + column) }
                    withUnsafePointer(to: layer.panel(panel)) {
                        kernels.matmul(
                            $0, 0, 1, input[group.lowerBound], input.stride, Int32(group.count), workspace, stride,
                            bias,
                            false)
                    }
                    apply(
                        change, layer, panel: panel, lane: nil, input, rows: group, into: workspace, stride: stride,
                        worker)
                    let columns = min(PackedLinear.panel, layer.outputs - column)
                    for token in group {
                        mk_add(
                            scratch.hidden[token] + column, workspace + (token - group.lowerBound) * stride, columns)
                    }
                }
            }
        }
    }

    /// Gate and up: tokens without adapters at once, the others with the changes before the activation.
    func gate(_ layer: PackedLinear, _ change: AdapterChange, _ phase: Int, _ worker: Worker) {
        let first = change.firstRow
        let pairs = Pieces(layer.panelCount / 2, workers: worker.count)
        phases.run(phase, pieces: pairs.count) { piece in
            let isSmall = tokens <= DecoderScratch.workspaceTokens
            if first > 0, !isSmall { gate(layer, pairs[piece], tokens: first) }
            for group in rowGroups(layer, first..<tokens) {
                for pair in pairs[piece] {
                    // The weights of a pair are read from memory once for both kinds of tokens.
                    if first > 0, isSmall { gate(layer, pair..<pair + 1, tokens: first) }
                    gate(layer, change, pair, group, worker)
                }
            }
        }
    }

    private func gate(
        _ layer: PackedLinear, _ change: AdapterChange, _ pair: Int, _ group: Range<Int>, _ worker: Worker
    ) {
        guard let workspace = scratch.workspaces?[worker.index] else { return }
        let stride = DecoderScratch.workspaceColumns
        for lane in 0..<2 {
            let panel = 2 * pair + lane
            let out = workspace + lane * PackedLinear.panel
            let bias = layer.bias.map { UnsafePointer($0.values + panel * PackedLinear.panel) }
            withUnsafePointer(to: layer.panel(panel)) {
                kernels.matmul(
                    $0, 0, 1, scratch.normed[group.lowerBound], scratch.normed.stride, Int32(group.count), out, stride,
                    bias, false)
            }
            apply(
                change, layer, panel: pair, lane: lane, scratch.normed, rows: group, into: out, stride: stride, worker)
        }
        let column = pair * PackedLinear.panel
        kernels.gate(
            workspace, stride, 0, 1, Int32(group.count), scratch.gated[group.lowerBound] + column,
            scratch.gated.stride, Int32(model.intermediateSize - column), model.activation)
    }

    private func product(
        _ layer: PackedLinear, _ panel: Int, _ input: DecoderScratch.Rows, _ group: Range<Int>,
        into out: UnsafeMutablePointer<Float>, stride: Int
    ) {
        withUnsafePointer(to: layer.packed) {
            kernels.matmul(
                $0, Int32(panel), Int32(panel + 1), input[group.lowerBound], input.stride, Int32(group.count), out,
                stride, layer.bias?.values, false)
        }
    }

    /// Rows in groups whose inputs stay in the second-level cache while the panels go by.
    private func rowGroups(_ layer: PackedLinear, _ rows: Range<Int>) -> [Range<Int>] {
        let step = max(16, min(DecoderScratch.workspaceTokens, (768 << 10) / (4 * layer.inputs)))
        return stride(from: rows.lowerBound, to: rows.upperBound, by: step).map { $0..<min($0 + step, rows.upperBound) }
    }
}
