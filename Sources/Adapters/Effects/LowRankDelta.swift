import Checkpoints

/// A low-rank change of a module: `y += scale * (B (A x) + bias)`, with a magnitude the whole row of weights rescaled.
///
/// Of an embedding the delta of token `t` is `scale * B A[:, t]`, multiplied by the embedding's own scale where the
/// model has one. With a magnitude m (DoRA), where W is the module's weight as it is computed with (its replacement, if
/// the adapter has one), and n the L2 norms of the rows of W + scale B A:
/// `y = m / n * (W x + scale * B (A x)) + the module's bias`; of an embedding n is the norm of the columns of
/// W + scale (B A)ᵀ, one for each output.
package struct LowRankDelta: Sendable {
    /// Name of a linear module or an embedding in the catalog.
    package let module: String
    /// A: `[rank, inputs]`, of an embedding `[rank, rows of the vocabulary]`.
    package let down: TensorView
    /// B: `[outputs, rank]`.
    package let up: TensorView
    /// `alpha / rank`, or as the method has it.
    package let scale: Double
    /// `[outputs]`.
    package let bias: TensorView?
    /// `[outputs]`.
    package let magnitude: TensorView?

    package var rank: Int { up.shape[1] }
}
