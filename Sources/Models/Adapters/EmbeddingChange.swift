internal import Adapters
import CKernels
import Checkpoints
import Compute

/// What an adapter does to the token embeddings: another table, some other rows, then a low-rank change.
struct EmbeddingChange {
    /// Nil for the model's own.
    let table: EmbeddingTable?
    /// Rows that take the place of the table's, and which token has which.
    let rows: EmbeddingTable?
    let places: [Int32: Int]
    let delta: EmbeddingDelta?

    var byteCount: Int { (table?.byteCount ?? 0) + (rows?.byteCount ?? 0) + (delta?.byteCount ?? 0) }

    /// Writes the token's row if it is not the model's own, and says whether it did.
    func read(_ token: Int32, to out: UnsafeMutablePointer<Float>) -> Bool {
        if let rows, let place = places[token] {
            rows.read(place, to: out)
            return true
        }
        guard let table else { return false }
        table.read(Int(token), to: out)
        return true
    }
}

/// A low-rank change of the embeddings.
struct EmbeddingDelta {
    /// `scale * A`, a row for each token.
    private let down: FloatBuffer
    private let up: PackedLinear
    /// Magnitudes (DoRA) and zeros to add; both or none.
    private var factors: FloatBuffer?
    private var zeros: FloatBuffer?

    var rank: Int { up.inputs }
    var byteCount: Int { 4 * down.count + up.byteCount + 8 * (factors?.count ?? 0) }

    /// - Parameter read: the row that the change is added to.
    init(_ delta: LowRankDelta, _ kernels: mk_tensor_kernels, read: (Int, UnsafeMutablePointer<Float>) -> Void) throws {
        let hidden = delta.up.shape[0]
        down = try MagnitudeFactors.transposed(delta, stride: delta.rank)
        up = try PackedLinear(
            inputs: delta.rank, outputs: hidden, storage: delta.up.dtype == .bfloat16 ? .bfloat16 : .float32)
        delta.up.withBytes { bytes in
            if let base = bytes.baseAddress { up.pack(base, type: delta.up.storage, rows: hidden) }
        }
        guard let magnitude = delta.magnitude else { return }
        factors = try MagnitudeFactors(kernels: kernels).embedding(
            up, down: down, rows: delta.down.shape[1], FloatBuffer(magnitude), read: read)
        zeros = try FloatBuffer(count: hidden)
    }

    /// Adds the token's change to its row. `vector` has room for the rank.
    func apply(
        _ kernels: mk_tensor_kernels, _ token: Int32, weight: Float, vector: UnsafeMutablePointer<Float>,
        to out: UnsafeMutablePointer<Float>
    ) {
        mk_scaled(down.values + Int(token) * rank, weight, rank, vector)
        withUnsafePointer(to: up.packed) {
            kernels.matmul($0, 0, Int32(up.panelCount), vector, rank, 1, out, up.outputs, nil, true)
        }
        guard let factors, let zeros else { return }
        mk_scale_and_add(out, up.outputs, 1, factors.values, zeros.values, up.outputs)
    }
}

extension FloatBuffer {
    /// The values of a tensor in float.
    convenience init(_ tensor: TensorView) throws(ComputeError) {
        try self.init(count: tensor.count)
        tensor.withBytes { bytes in
            if let base = bytes.baseAddress { tensor.storage.convert(base, to: values, count: count) }
        }
    }
}
