import CKernels
import Compute

/// Feed-forward networks without a gate: one matrix, then the activation.
extension DecoderStep {
    /// Without adapters; each worker activates what it has just computed.
    func expand(_ layer: PackedLinear, _ phase: Int, _ workers: Int) {
        let panels = Pieces(layer.panelCount, workers: workers)
        phases.run(phase, pieces: panels.count) { piece in
            product(
                layer, panels[piece], scratch.normed, 0..<tokens,
                into: scratch.gated[0] + panels[piece].lowerBound * PackedLinear.panel, stride: scratch.gated.stride)
            activate(layer, panels[piece])
        }
    }

    /// With changes, which come before the activation.
    func expand(_ layer: PackedLinear, _ change: AdapterChange, _ phase: Int, _ worker: Worker) {
        multiply(
            layer, change, scratch.normed, rows: tokens, into: scratch.gated[0], stride: scratch.gated.stride, phase,
            worker
        ) { activate(layer, $0) }
    }

    private func activate(_ layer: PackedLinear, _ panels: Range<Int>) {
        let column = panels.lowerBound * PackedLinear.panel
        let columns = min(panels.upperBound * PackedLinear.panel, layer.outputs) - column
        kernels.activate(
            scratch.gated[0] + column, scratch.gated.stride, Int32(tokens), Int32(columns), model.activation)
    }
}
