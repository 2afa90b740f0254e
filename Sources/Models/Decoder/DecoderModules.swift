/// The modules of a decoder by the names that transformers gives them, and which of them share a fused layer.
///
/// Those of a layer are named as what follows the layer's own name.
struct DecoderModules: Sendable {
    /// A matrix with its bias, if it has one.
    struct Linear: Sendable {
        let name: String
        let outputs: Int
        var hasBias = false
    }

    enum FeedForward: Sendable {
        /// activation(gate) * up
        case gated(Linear, Linear)
        /// activation(linear)
        case plain(Linear)
    }

    /// What the names of all modules but the head begin with; some checkpoints leave it out.
    let base: String
    let embedding: String
    /// Norm of the embeddings before the first layer.
    var embeddingNorm: String?
    /// Name of the list of layers.
    let layers: String
    let inputNorm: String
    /// Queries, keys and values, in one matrix or several.
    let attention: [Linear]
    /// Whether query, key and value of one head lie beside each other, and then those of the next head. Else all
    /// queries come first, then all keys, then all values.
    var isAttentionByHead = false
    let attentionOutput: Linear
    let feedForwardNorm: String
    let feedForward: FeedForward
    let feedForwardOutput: Linear
    let outputNorm: String
    let head: String

    func name(_ module: String, layer: Int) -> String { "\(layers).\(layer).\(module)" }
}
