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
    func shrink(_ change: AdapterChange, _ input: LinearInput, _ phase: Int, _ workers: Int) {
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

    /// Changes outputs of the rows `range`.
    private func apply(
        _ change: AdapterChange, _ layer: PackedLinear, _ input: LinearInput, rows range: Range<Int>,
        to out: OutputPanels, _ worker: Worker
    ) {
        guard let vectors = scratch.vectors else { return }
        for chunk in change.chunks {
            let first = max(chunk.start, range.lowerBound)
            let count = min(chunk.start + chunk.count, range.upperBound) - first
            guard count > 0 else { continue }
            let out = out.rows(from: first - range.lowerBound)
            change.forEachGroup(of: chunk) { group, _, vector in
                if !group.products.isEmpty, let scratch = scratch.products(of: worker.index) {
                    let input = AdapterProduct.Input(values: input[first], stride: input.stride, tokens: count)
                    for product in group.products { product.run(kernelSet, layer, input, into: out, scratch) }
                }
                for part in group.parts {
                    part.expand(
                        kernels, vectors[first] + vector + part.vectorOffset, stride: vectors.stride, tokens: count,
                        into: out)
                }
                for output in group.outputs { output.apply(to: out, tokens: count) }
            }
        }
    }

    /// A layer whose outputs are kept: the product, then the changes, then what is done to finished panels.
    func multiply(
        _ layer: PackedLinear, _ change: AdapterChange, _ input: LinearInput, rows: Int,
        into output: UnsafeMutablePointer<Float>, stride: Int, _ phase: Int, _ worker: Worker,
        finish: (Range<Int>) -> Void = { _ in }
    ) {
        let panels = Pieces(max(layer.panelCount, change.panelCount), workers: worker.count)
        phases.run(phase, pieces: panels.count) { piece in
            for group in rowGroups(layer, 0..<rows) {
                // Few panels at a time, so that the changes find the outputs in a cache.
                for panels in strips(panels[piece], rows: group.count) {
                    let out = OutputPanels(
                        panels: panels, lane: nil,
                        base: output + group.lowerBound * stride + panels.lowerBound * PackedLinear.panel,
                        stride: stride)
                    let own = panels.clamped(to: 0..<layer.panelCount)
                    if !own.isEmpty { product(layer, own, input, group, into: out.base, stride: stride) }
                    apply(change, layer, input, rows: group, to: out, worker)
                }
            }
            finish(panels[piece])
        }
    }

    /// A layer whose outputs are added to the residual stream: product and changes are put together first.
    func addProduct(
        _ layer: PackedLinear, _ change: AdapterChange, _ input: LinearInput, _ phase: Int, _ worker: Worker
    ) {
        guard let workspace = scratch.workspaces?[worker.index] else { return }
        let panels = Pieces(layer.panelCount, workers: worker.count)
        phases.run(phase, pieces: panels.count) { piece in
            for group in rowGroups(layer, 0..<tokens) {
                for panels in strips(panels[piece], rows: group.count) {
                    let stride = DecoderScratch.workspaceStride(panels: panels.count)
                    product(layer, panels, input, group, into: workspace, stride: stride)
                    let out = OutputPanels(panels: panels, lane: nil, base: workspace, stride: stride)
                    apply(change, layer, input, rows: group, to: out, worker)
                    let column = panels.lowerBound * PackedLinear.panel
                    let columns = min(panels.upperBound * PackedLinear.panel, layer.outputs) - column
                    for token in group {
                        mk_add(
                            scratch.hidden[token] + column, workspace + (token - group.lowerBound) * stride, columns)
                    }
                }
            }
        }
    }

    /// Gate and up, with the changes before the activation.
    func gate(_ layer: PackedLinear, _ change: AdapterChange, _ phase: Int, _ worker: Worker) {
        // Many tokens without adapters are done apart; of few, the weights are read from memory once for both kinds.
        let first = tokens <= DecoderScratch.workspaceTokens ? 0 : change.firstRow
        let pairs = Pieces(layer.panelCount / 2, workers: worker.count)
        phases.run(phase, pieces: pairs.count) { piece in
            if first > 0 { gate(layer, pairs[piece], tokens: first) }
            for group in rowGroups(layer, first..<tokens) {
                for pairs in strips(pairs[piece], rows: 2 * group.count) {
                    gate(layer, change, pairs, group, worker)
                }
            }
        }
    }

    private func gate(
        _ layer: PackedLinear, _ change: AdapterChange, _ pairs: Range<Int>, _ group: Range<Int>, _ worker: Worker
    ) {
        guard let workspace = scratch.workspaces?[worker.index] else { return }
        let stride = DecoderScratch.workspaceStride(panels: 2 * pairs.count)
        product(
            layer, 2 * pairs.lowerBound..<2 * pairs.upperBound, scratch.normed, group, into: workspace, stride: stride)
        for lane in 0..<2 {
            let out = OutputPanels(
                panels: pairs, lane: lane, base: workspace + lane * PackedLinear.panel, stride: stride)
            apply(change, layer, scratch.normed, rows: group, to: out, worker)
        }
        let column = pairs.lowerBound * PackedLinear.panel
        kernels.gate(
            workspace, stride, 0, Int32(pairs.count), Int32(group.count), scratch.gated[group.lowerBound] + column,
            scratch.gated.stride, Int32(model.intermediateSize - column), model.activation)
    }

    /// Panels in runs whose outputs for `rows` rows fit a workspace.
    private func strips(_ panels: Range<Int>, rows: Int) -> [Range<Int>] {
        let step = DecoderScratch.workspacePanels(rows: rows)
        return stride(from: panels.lowerBound, to: panels.upperBound, by: step).map {
            $0..<min($0 + step, panels.upperBound)
        }
    }

    /// Rows in groups whose inputs stay in the second-level cache while the panels go by.
    private func rowGroups(_ layer: PackedLinear, _ rows: Range<Int>) -> [Range<Int>] {
        let step = max(16, min(DecoderScratch.workspaceTokens, (768 << 10) / (4 * layer.inputs)))
        return stride(from: rows.lowerBound, to: rows.upperBound, by: step).map { $0..<min($0 + step, rows.upperBound) }
    }
}
