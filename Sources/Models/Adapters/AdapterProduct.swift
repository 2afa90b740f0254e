import CKernels
import Compute

/// A product that takes the place of the model's own for one module: of other weights, or of scaled inputs. Its bias
/// comes with `AdapterOutput`.
struct AdapterProduct {
    let place: ModulePlace
    /// Outputs begin at the place's shift; nil for the model's own weights.
    let weights: PackedLinear?
    let inputFactors: FloatBuffer?

    var byteCount: Int { (weights?.byteCount ?? 0) + 4 * (inputFactors?.count ?? 0) }

    /// Rows that such products read.
    struct Input {
        let values: UnsafePointer<Float>
        let stride: Int
        let tokens: Int
    }

    /// What a worker needs for the products of a chunk of rows.
    struct Scratch {
        /// See `count`.
        let values: UnsafeMutablePointer<Float>
        /// Rows for the model's own weights, of each width and form; empty where these take floats.
        let rows: [PreparedRows]

        func rows(for layer: PackedLinear) -> PreparedRows? {
            rows.first { $0.inputs == layer.inputs && $0.format.takesRows(of: layer.format) }
        }

        /// Numbers for `tokens` tokens of `inputs` inputs each: a panel of outputs and the scaled inputs.
        static func count(tokens: Int, inputs: Int) -> Int { tokens * (PackedLinear.panel + inputs) }
    }

    /// Writes the module's part of some panels of outputs, if it has one.
    func run(_ kernels: KernelSet, _ layer: PackedLinear, _ input: Input, into out: OutputPanels, _ scratch: Scratch) {
        guard place.lane == out.lane, place.panels.overlaps(out.panels) else { return }
        let input = scaled(input, scratch)
        let rows = weights == nil ? scratch.rows(for: layer) : nil
        if let rows {
            for token in 0..<input.tokens { rows.prepare(token, from: input.values + token * input.stride) }
        }
        for panel in place.panels.clamped(to: out.panels) {
            guard let columns = place.columns(of: panel, lane: out.lane) else { continue }
            if let weights {
                multiply(kernels, weights, panel - place.firstPanel, input, scratch)
            } else if let rows {
                let own = place.fusedPanel(panel)
                let output = LinearOutput(
                    scratch.values - own * PackedLinear.panel, stride: PackedLinear.panel, hasBias: false)
                layer.multiply(panels: own..<own + 1, rows, 0..<input.tokens, into: output, kernels)
            } else {
                multiply(kernels, layer, place.fusedPanel(panel), input, scratch)
            }
            mk_copy_rows(
                out[panel] + columns.lowerBound, out.stride, scratch.values + columns.lowerBound, PackedLinear.panel,
                input.tokens, columns.count)
        }
    }

    private func scaled(_ input: Input, _ scratch: Scratch) -> Input {
        guard let inputFactors else { return input }
        let scaled = scratch.values + input.tokens * PackedLinear.panel
        mk_scale_columns(
            input.values, input.stride, input.tokens, inputFactors.values, inputFactors.count, scaled,
            inputFactors.count)
        return Input(values: scaled, stride: inputFactors.count, tokens: input.tokens)
    }

    /// One panel of weights that take floats.
    private func multiply(
        _ kernels: KernelSet, _ weights: PackedLinear, _ panel: Int, _ input: Input, _ scratch: Scratch
    ) {
        withUnsafePointer(to: weights.panel(panel)) {
            kernels.tensor.matmul(
                $0, 0, 1, input.values, input.stride, Int32(input.tokens), scratch.values, PackedLinear.panel, nil,
                false)
        }
    }
}
