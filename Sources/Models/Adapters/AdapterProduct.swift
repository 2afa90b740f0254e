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

    /// Numbers that a worker needs for `tokens` tokens of `inputs` inputs each.
    static func scratchCount(tokens: Int, inputs: Int) -> Int { tokens * (PackedLinear.panel + inputs) }

    /// Writes the module's part of some panels of outputs, if it has one.
    func run(
        _ kernels: mk_tensor_kernels, _ layer: PackedLinear, _ input: UnsafePointer<Float>, stride: Int, tokens: Int,
        into out: OutputPanels, scratch: UnsafeMutablePointer<Float>
    ) {
        guard place.lane == out.lane, place.panels.overlaps(out.panels) else { return }
        var input = input
        var stride = stride
        if let inputFactors {
            let scaled = scratch + tokens * PackedLinear.panel
            mk_scale_columns(
                input, stride, tokens, inputFactors.values, inputFactors.count, scaled, inputFactors.count)
            input = UnsafePointer(scaled)
            stride = inputFactors.count
        }
        for panel in place.panels.clamped(to: out.panels) {
            guard let columns = place.columns(of: panel, lane: out.lane) else { continue }
            let packed = weights?.panel(panel - place.firstPanel) ?? layer.panel(place.fusedPanel(panel))
            withUnsafePointer(to: packed) {
                kernels.matmul($0, 0, 1, input, stride, Int32(tokens), scratch, PackedLinear.panel, nil, false)
            }
            mk_copy_rows(
                out[panel] + columns.lowerBound, out.stride, scratch + columns.lowerBound, PackedLinear.panel, tokens,
                columns.count)
        }
    }
}
