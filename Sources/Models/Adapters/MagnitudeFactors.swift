internal import Adapters
import CKernels
import Checkpoints
import Compute

/// Factors that give the rows of changed weights their trained magnitudes: m / n, n being the L2 norms of the rows of
/// W + scale B A (DoRA, arXiv 2402.09353, as PEFT computes it).
///
/// W is what the kernels compute with. Sums are in double with inputs ascending, so the factors depend on nothing else.
/// O(inputs × outputs × rank) at the speed of the kernels.
struct MagnitudeFactors {
    let kernels: mk_tensor_kernels

    /// One factor for each output of a linear module.
    ///
    /// - Parameter read: writes a panel of W as `[input][panel]`, with the module's outputs where `place` says.
    func linear(
        _ delta: LowRankDelta, _ part: AdapterPart, _ magnitude: FloatBuffer,
        read: (Int, UnsafeMutablePointer<Float>) -> Void
    ) throws(ComputeError) -> FloatBuffer {
        let panel = PackedLinear.panel
        let place = part.place
        let down = try Self.transposed(delta, stride: part.width)
        let sum = try FloatBuffer(count: part.inputs * panel)
        let squares = try Memory(byteCount: (place.shift + place.outputs + panel) * 8)
        for index in place.panels {
            read(index, sum.values)
            let out = OutputPanels(panels: index..<index + 1, lane: place.lane, base: sum.values, stride: panel)
            part.expand(kernels, down.values, stride: part.width, tokens: part.inputs, into: out)
            mk_add_squares(
                sum.values, panel, part.inputs, panel,
                squares.elements(Double.self) + (index - place.firstPanel) * panel)
        }
        let factors = try FloatBuffer(count: place.outputs)
        mk_magnitude_factors(
            magnitude.values, squares.elements(Double.self) + place.shift, place.outputs, factors.values)
        return factors
    }

    /// One factor for each output of an embedding, whose norms go along the vocabulary.
    ///
    /// - Parameter read: row of W for a token.
    func embedding(
        _ up: PackedLinear, down: FloatBuffer, rows: Int, _ magnitude: FloatBuffer,
        read: (Int, UnsafeMutablePointer<Float>) -> Void
    ) throws(ComputeError) -> FloatBuffer {
        let block = 64
        let sum = try FloatBuffer(count: block * up.outputs)
        let squares = try Memory(byteCount: up.outputs * 8)
        for first in stride(from: 0, to: rows, by: block) {
            let count = min(block, rows - first)
            for row in 0..<count { read(first + row, sum.values + row * up.outputs) }
            withUnsafePointer(to: up.packed) {
                kernels.matmul(
                    $0, 0, Int32(up.panelCount), down.values + first * up.inputs, up.inputs, Int32(count), sum.values,
                    up.outputs, nil, true)
            }
            mk_add_squares(sum.values, up.outputs, count, up.outputs, squares.elements(Double.self))
        }
        let factors = try FloatBuffer(count: up.outputs)
        mk_magnitude_factors(magnitude.values, squares.elements(Double.self), up.outputs, factors.values)
        return factors
    }

    /// `scale * A` with inputs as rows of `stride` values; what is past the rank is zero.
    static func transposed(_ delta: LowRankDelta, stride: Int) throws(ComputeError) -> FloatBuffer {
        let inputs = delta.down.shape[1]
        let out = try FloatBuffer(count: inputs * stride)
        delta.down.withBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            mk_transpose(
                base, delta.down.storage.kernelType, delta.rank, inputs, Float(delta.scale), out.values, stride)
        }
        return out
    }
}
