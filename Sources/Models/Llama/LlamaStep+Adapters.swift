import CKernels
import Compute

/// What the adapters of a step do to one group of linear layers.
struct AdapterChange {
    let adapters: AdapterBatch
    let layer: Int
    let group: KeyPath<LlamaAdapter.Layer, AdapterGroup>

    init(_ adapters: AdapterBatch, layer: Int, group: KeyPath<LlamaAdapter.Layer, AdapterGroup>) {
        self.adapters = adapters
        self.layer = layer
        self.group = group
    }

    /// The parts of a chunk's adapters in order, each with its adapter's weight and where its vector begins.
    @inline(__always)
    func forEachPart(of chunk: AdapterBatch.Chunk, _ body: (AdapterPart, _ weight: Float, _ vector: Int) -> Void) {
        var first = 0
        for term in chunk.terms {
            let group = term.adapter.layers[layer][keyPath: group]
            for part in group.parts { body(part, term.scale, first + part.vectorOffset) }
            first += group.rank
        }
    }
}

/// Linear layers with low-rank changes. For each token the layer's own product comes first, then the changes in the
/// order of the request, each summed up before it is added; so nothing depends on who else is in the batch. Tokens without
/// adapters get the bits that they get in a step without any.
extension LlamaStep {
    /// The vectors between A and B of all tokens with adapters.
    func shrink(_ change: AdapterChange, _ input: LlamaScratch.Rows, _ phase: Int, _ workers: Int) {
        guard let vectors = scratch.vectors else { return }
        let chunks = change.adapters.chunks
        phases.run(phase, pieces: chunks.count) { piece in
            let chunk = chunks[piece]
            change.forEachPart(of: chunk) { part, weight, vector in
                part.shrink(
                    kernels, input[chunk.tokenStart], stride: input.stride, tokens: chunk.tokenCount, weight: weight,
                    into: vectors[chunk.tokenStart] + vector, outStride: vectors.stride)
            }
        }
    }

    /// Adds the changes to one panel of some tokens' outputs; `lane` picks gate or up where panels alternate.
    private func expand(
        _ change: AdapterChange, panel: Int, lane: Int?, tokens range: Range<Int>,
        into out: UnsafeMutablePointer<Float>, stride: Int
    ) {
        guard let vectors = scratch.vectors else { return }
        for chunk in change.adapters.chunks {
            let first = max(chunk.tokenStart, range.lowerBound)
            let count = min(chunk.tokenStart + chunk.tokenCount, range.upperBound) - first
            guard count > 0 else { continue }
            change.forEachPart(of: chunk) { part, _, vector in
                guard part.lane == lane else { return }
                part.expand(
                    kernels, panel: panel, vectors[first] + vector, stride: vectors.stride, tokens: count,
                    into: out + (first - range.lowerBound) * stride, outStride: stride)
            }
        }
    }

    /// A layer whose outputs are kept: the product, then the changes, panel by panel.
    func multiply(
        _ layer: PackedLinear, _ change: AdapterChange, _ input: LlamaScratch.Rows, into output: LlamaScratch.Rows,
        _ phase: Int, _ worker: Worker
    ) {
        let panels = Pieces(layer.panelCount, workers: worker.count)
        phases.run(phase, pieces: panels.count) { piece in
            for group in tokenGroups(layer, from: 0) {
                for panel in panels[piece] {
                    product(layer, panel, input, group, into: output[group.lowerBound], stride: output.stride)
                    expand(
                        change, panel: panel, lane: nil, tokens: group,
                        into: output[group.lowerBound] + panel * PackedLinear.panel, stride: output.stride)
                }
            }
        }
    }

    /// A layer whose outputs are added to the residual stream: product and changes are put together first.
    func addProduct(
        _ layer: PackedLinear, _ change: AdapterChange, _ input: LlamaScratch.Rows, _ phase: Int, _ worker: Worker
    ) {
        guard let workspace = scratch.workspaces?[worker.index] else { return }
        let stride = PackedLinear.panel
        let panels = Pieces(layer.panelCount, workers: worker.count)
        phases.run(phase, pieces: panels.count) { piece in
            for group in tokenGroups(layer, from: 0) {
                for panel in panels[piece] {
                    let column = panel * PackedLinear.panel
                    let bias = layer.bias.map { UnsafePointer($0.values + column) }
                    withUnsafePointer(to: layer.panel(panel)) {
                        kernels.matmul(
                            $0, 0, 1, input[group.lowerBound], input.stride, Int32(group.count), workspace, stride,
                            bias,
                            false)
                    }
                    expand(change, panel: panel, lane: nil, tokens: group, into: workspace, stride: stride)
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
        let first = change.adapters.firstToken
        let pairs = Pieces(layer.panelCount / 2, workers: worker.count)
        phases.run(phase, pieces: pairs.count) { piece in
            let isSmall = tokens <= LlamaScratch.workspaceTokens
            if first > 0, !isSmall { gate(layer, pairs[piece], tokens: first) }
            for group in tokenGroups(layer, from: first) {
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
        let stride = LlamaScratch.workspaceColumns
        for lane in 0..<2 {
            let panel = 2 * pair + lane
            let out = workspace + lane * PackedLinear.panel
            let bias = layer.bias.map { UnsafePointer($0.values + panel * PackedLinear.panel) }
            withUnsafePointer(to: layer.panel(panel)) {
                kernels.matmul(
                    $0, 0, 1, scratch.normed[group.lowerBound], scratch.normed.stride, Int32(group.count), out, stride,
                    bias, false)
            }
            expand(change, panel: pair, lane: lane, tokens: group, into: out, stride: stride)
        }
        let column = pair * PackedLinear.panel
        kernels.gate(
            workspace, stride, 0, 1, Int32(group.count), scratch.gated[group.lowerBound] + column,
            scratch.gated.stride, Int32(model.intermediateSize - column), model.activation)
    }

    private func product(
        _ layer: PackedLinear, _ panel: Int, _ input: LlamaScratch.Rows, _ group: Range<Int>,
        into out: UnsafeMutablePointer<Float>, stride: Int
    ) {
        withUnsafePointer(to: layer.packed) {
            kernels.matmul(
                $0, Int32(panel), Int32(panel + 1), input[group.lowerBound], input.stride, Int32(group.count), out,
                stride, layer.bias?.values, false)
        }
    }

    /// Tokens from `first` on in groups whose inputs stay in the second-level cache while the panels go by.
    private func tokenGroups(_ layer: PackedLinear, from first: Int) -> [Range<Int>] {
        let step = max(16, min(LlamaScratch.workspaceTokens, (768 << 10) / (4 * layer.inputs)))
        return stride(from: first, to: tokens, by: step).map { $0..<min($0 + step, tokens) }
    }
}
