import Compute

/// Activations of a step, `[token][channel]` each; made once for the largest batch seen.
final class DecoderScratch: @unchecked Sendable {
    /// Rows of one buffer. The stride is padded: a power of two would send all rows to the same few cache sets.
    struct Rows: @unchecked Sendable {
        let stride: Int
        private let buffer: FloatBuffer

        init(_ rows: Int, _ columns: Int) throws(ComputeError) {
            stride = (columns + 15) / 16 * 16 + 16
            buffer = try FloatBuffer(count: rows * stride)
        }

        subscript(row: Int) -> UnsafeMutablePointer<Float> { buffer.values + row * stride }
    }

    let capacity: Int
    /// The residual stream.
    let hidden: Rows
    let normed: LinearInput
    /// The same floats as `normed`, in the form that the output head takes.
    let headInput: LinearInput
    /// Queries, keys and values as the weights order them.
    let projected: Rows
    /// All queries of a token, then its keys, then its values.
    let queriesKeysValues: Rows
    let attended: LinearInput
    let gated: LinearInput

    /// What adapters need; made when the first one is used.
    private(set) var vectors: Rows?
    private(set) var workspaces: Rows?
    /// For each worker; made when the first adapter needs them.
    private var products: Rows?
    private var productRows: [[PreparedRows]] = []
    private var vectorWidth = 0
    private var productWidth = 0

    /// Most tokens of a workspace.
    static let workspaceTokens = 128
    /// Numbers of a workspace, which stays in the second-level cache.
    private static let workspaceCount = 32 << 10

    /// Panels of outputs that a workspace holds for `rows` rows, an even number.
    static func workspacePanels(rows: Int) -> Int {
        max(2, (workspaceCount / max(1, rows) - padding) / PackedLinear.panel / 2 * 2)
    }

    /// Distance of two rows of a workspace with `panels` panels; like that of other rows no power of two.
    static func workspaceStride(panels: Int) -> Int { panels * PackedLinear.panel + padding }

    private static let padding = 16

    /// Makes room for vectors of `width` between A and B, and for every worker's workspace.
    func reserveVectors(_ width: Int, workers: Int) throws(ComputeError) {
        if workspaces == nil {
            workspaces = try Rows(workers, Self.workspaceCount)
        }
        guard vectors == nil || width > vectorWidth else { return }
        vectors = nil
        vectors = try Rows(capacity, width)
        vectorWidth = width
    }

    /// Makes room for `count` numbers for every worker.
    func reserveProducts(_ count: Int, workers: Int) throws(ComputeError) {
        guard count > productWidth else { return }
        products = nil
        products = try Rows(workers, count)
        productWidth = count
    }

    /// Makes room for the other form of `capacity` rows of each width, for every worker.
    func reserveProductRows(_ capacity: Int, workers: Int, _ kernels: KernelSet) throws(ComputeError) {
        guard productRows.isEmpty else { return }
        let inputs = [normed, attended, gated, headInput].compactMap(\.prepared)
        for _ in 0..<workers {
            var rows: [PreparedRows] = []
            for input in inputs {
                rows.append(
                    try PreparedRows(
                        capacity: capacity, inputs: input.inputs, format: input.format, kernels: kernels))
            }
            productRows.append(rows)
        }
    }

    /// What a worker has for products of adapters; nil if nothing was reserved.
    func products(of worker: Int) -> AdapterProduct.Scratch? {
        guard let products else { return nil }
        return AdapterProduct.Scratch(
            values: products[worker], rows: productRows.indices.contains(worker) ? productRows[worker] : [])
    }

    init(_ model: DecoderModel, capacity: Int, _ kernels: KernelSet) throws(ComputeError) {
        let shape = model.shape
        self.capacity = capacity
        let heads = shape.heads * shape.headDim
        hidden = try Rows(capacity, shape.hiddenSize)
        let format = model.formats.layers
        normed = try LinearInput(capacity, shape.hiddenSize, format, kernels)
        headInput = try normed.form(for: model.formats.head, kernels)
        queriesKeysValues = try Rows(capacity, heads + 2 * shape.kvHeads * shape.headDim)
        projected =
            model.description.modules.isAttentionByHead
            ? try Rows(capacity, model.layers[0].attention.outputs) : queriesKeysValues
        attended = try LinearInput(capacity, heads, format, kernels)
        gated = try LinearInput(capacity, model.intermediateSize, format, kernels)
    }
}
