import Compute

/// How the weights of linear layers are held; embeddings, norms, biases and adapters stay as they are.
package enum Quantization: String, Sendable, CaseIterable {
    /// In the model's type.
    case none
    /// 8 bits with a scale for each output; activations become int8 row by row.
    case int8
    /// 4 bits with a scale for each 32 inputs, and the output head in int8; activations become int8 row by row.
    case int4
}

/// What linear layers of a model are packed as.
struct WeightFormats: Sendable {
    /// Layers of the decoder.
    let layers: WeightFormat
    /// The output head, which is more sensitive than the layers and read once a token.
    let head: WeightFormat
    /// Whether bfloat16 weights are held in 12 bits where that makes them smaller. Results are the same bit for bit.
    let compresses: Bool

    init(_ quantization: Quantization, _ dtype: ModelDType, _ kernels: KernelSet, compresses: Bool) {
        switch quantization {
        case .none:
            layers = dtype == .bfloat16 ? .bfloat16 : .float32
            head = layers
        case .int8: (layers, head) = (.int8, .int8)
        case .int4: (layers, head) = (.int4(group: 32), .int8)
        }
        // Elsewhere bfloat16 weights are multiplied with rows of floats, and expanding them costs more than reading them.
        self.compresses = layers == .bfloat16 && kernels.multipliesBfloat16 && compresses
    }
}
