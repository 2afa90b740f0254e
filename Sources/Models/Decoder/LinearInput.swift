import CKernels
import Compute

/// Rows that linear layers read: in float, and where the weights are multiplied with another form, in that too.
struct LinearInput {
    let rows: DecoderScratch.Rows
    /// Nil where the kernels take floats.
    let prepared: PreparedRows?

    init(_ capacity: Int, _ columns: Int, _ format: WeightFormat, _ kernels: KernelSet) throws(ComputeError) {
        try self.init(DecoderScratch.Rows(capacity, columns), capacity, columns, format, kernels)
    }

    private init(
        _ rows: DecoderScratch.Rows, _ capacity: Int, _ columns: Int, _ format: WeightFormat, _ kernels: KernelSet
    ) throws(ComputeError) {
        self.rows = rows
        prepared =
            format.takesPreparedRows(kernels)
            ? try PreparedRows(capacity: capacity, inputs: columns, format: format, kernels: kernels) : nil
    }

    /// The same floats for weights of another format.
    func form(for format: WeightFormat, _ kernels: KernelSet) throws(ComputeError) -> LinearInput {
        guard let prepared, !prepared.format.takesRows(of: format) else { return self }
        return try LinearInput(rows, prepared.capacity, prepared.inputs, format, kernels)
    }

    var stride: Int { rows.stride }

    subscript(row: Int) -> UnsafeMutablePointer<Float> { rows[row] }

    /// Makes the other form of a row that is complete; one thread for each row.
    func prepare(_ row: Int) { prepared?.prepare(row, from: rows[row]) }
}

extension WeightFormat {
    /// Whether models multiply such weights with rows in another form than floats.
    func takesPreparedRows(_ kernels: KernelSet) -> Bool {
        // Rounded rows pay where there are instructions for them; elsewhere floats are as fast, and exact.
        self != .float32 && (self != .bfloat16 || kernels.multipliesBfloat16)
    }
}

/// Products of linear layers with rows of a step. A row's bits depend neither on the other rows nor on how panels are
/// divided.
extension DecoderStep {
    /// Outputs of some panels for the rows `range`; `out` is where the first of these panels begins in the first row.
    func product(
        _ layer: PackedLinear, _ panels: Range<Int>, _ input: LinearInput, _ range: Range<Int>,
        into out: UnsafeMutablePointer<Float>, stride: Int, accumulate: Bool = false
    ) {
        let column = panels.lowerBound * PackedLinear.panel
        if let prepared = input.prepared {
            let output = LinearOutput(out - column, stride: stride, accumulates: accumulate)
            return layer.multiply(panels: panels, prepared, range, into: output, kernelSet)
        }
        let bias = layer.bias.map { UnsafePointer($0.values + column) }
        withUnsafePointer(to: layer.panels(panels)) {
            kernels.matmul(
                $0, 0, Int32(panels.count), input[range.lowerBound], input.stride, Int32(range.count), out, stride,
                bias, accumulate)
        }
    }

    /// A layer without changes, its panels divided among the workers.
    func multiply(
        _ layer: PackedLinear, _ input: LinearInput, rows: Int, into output: UnsafeMutablePointer<Float>, stride: Int,
        accumulate: Bool, _ phase: Int, _ workers: Int
    ) {
        let panels = Pieces(layer.panelCount, unitBytes: layer.panelBytes, workers: workers)
        phases.run(phase, pieces: panels.count) { piece in
            let panels = panels[piece]
            product(
                layer, panels, input, 0..<rows, into: output + panels.lowerBound * PackedLinear.panel, stride: stride,
                accumulate: accumulate)
        }
    }

    /// Gate, up and activation of the first tokens, for some pairs of panels.
    func gate(_ layer: PackedLinear, _ pairs: Range<Int>, tokens: Int) {
        if let prepared = scratch.normed.prepared {
            let output = LinearOutput(scratch.gated[0], stride: scratch.gated.stride)
            return layer.multiplyGated(
                pairs: pairs, prepared, 0..<tokens, into: output, columns: model.intermediateSize,
                activation: model.activation, kernelSet)
        }
        withUnsafePointer(to: layer.packed) { packed in
            kernels.gated_matmul(
                packed, Int32(pairs.lowerBound), Int32(pairs.upperBound), scratch.normed[0], scratch.normed.stride,
                Int32(tokens), scratch.gated[0], scratch.gated.stride, Int32(model.intermediateSize),
                layer.bias?.values, model.activation)
        }
    }

    /// Makes the other form of the tokens' rows, after the phase that completed them.
    func prepare(_ input: LinearInput, _ phase: Int, _ workers: Int) {
        guard input.prepared != nil else { return }
        let rows = Pieces(tokens, workers: workers)
        phases.run(phase, pieces: rows.count) { piece in
            for row in rows[piece] { input.prepare(row) }
        }
    }
}
