import Compute

/// Activations of a step, `[token][channel]` each; made once for the largest batch seen.
final class LlamaScratch: @unchecked Sendable {
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
    let normed: Rows
    /// q, k and v of each token.
    let queriesKeysValues: Rows
    let attended: Rows
    let gated: Rows

    init(_ shape: ModelShape, intermediateSize: Int, capacity: Int) throws(ComputeError) {
        self.capacity = capacity
        let heads = shape.heads * shape.headDim
        hidden = try Rows(capacity, shape.hiddenSize)
        normed = try Rows(capacity, shape.hiddenSize)
        queriesKeysValues = try Rows(capacity, heads + 2 * shape.kvHeads * shape.headDim)
        attended = try Rows(capacity, heads)
        gated = try Rows(capacity, intermediateSize)
    }
}
