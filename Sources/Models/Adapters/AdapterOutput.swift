import CKernels
import Compute

/// Factors on a module's outputs and what is added after them: magnitudes (DoRA), output factors (IA3), other biases.
struct AdapterOutput {
    let place: ModulePlace
    private let factors: FloatBuffer
    private let terms: FloatBuffer

    var byteCount: Int { 8 * factors.count }

    /// What makes `outer * (inner * (W x + changes) + wanted)` of the module's products.
    ///
    /// - Parameter applied: the bias that those products have already.
    /// - Parameter wanted: the bias that they shall have.
    init(
        _ place: ModulePlace, inner: FloatBuffer?, outer: FloatBuffer?, applied: FloatBuffer?, wanted: FloatBuffer?
    ) throws(ComputeError) {
        self.place = place
        factors = try FloatBuffer(count: place.outputs)
        terms = try FloatBuffer(count: place.outputs)
        mk_output_change(
            inner?.values, outer?.values, applied?.values, wanted?.values, place.outputs, factors.values, terms.values)
    }

    /// Changes the module's part of some panels of outputs, if it has one.
    func apply(to out: OutputPanels, tokens: Int) {
        guard place.lane == out.lane else { return }
        for panel in place.panels.clamped(to: out.panels) {
            guard let columns = place.columns(of: panel, lane: out.lane) else { continue }
            let first = place.output(of: panel)
            mk_scale_and_add(
                out[panel] + columns.lowerBound, out.stride, tokens, factors.values + first, terms.values + first,
                columns.count)
        }
    }
}
