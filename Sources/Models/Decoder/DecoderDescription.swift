import CKernels
import Checkpoints

/// What a decoder-only transformer is made of: sizes, kinds of operations and names of modules; no weights.
///
/// In each layer attention, then a feed-forward network, reads the norm of the residual stream and adds to the stream.
struct DecoderDescription: Sendable {
    enum Norm: Sendable {
        /// x / sqrt(mean(x²) + epsilon) * weight
        case rms
        /// (x - mean) / sqrt(variance + epsilon) * weight + bias
        case layer
    }

    enum Positions: Sendable {
        /// Queries and keys are rotated.
        case rotary(RopeParameters)
        /// Scores fall with the distance (ALiBi).
        case linearBias
    }

    let config: ModelConfig
    let modules: DecoderModules
    let norm: Norm
    let activation: mk_activation
    let positions: Positions
    /// For each layer the positions that a token sees, itself included; 0 means all.
    let windows: [Int32]

    var layers: Int { config.layerCount }
    /// Channels of a token's queries.
    var queryChannels: Int { config.headCount * config.headDimension }

    /// - Parameters:
    ///   - norm: the kind of all norms.
    ///   - activation: name of the activation function.
    ///   - positions: nil for the rotary embedding that the configuration describes.
    ///   - hasWindows: whether the architecture knows windows; the configuration says which layers have one.
    init(
        _ config: ModelConfig, _ modules: DecoderModules, norm: Norm = .rms, activation: String? = nil,
        positions: Positions? = nil, hasWindows: Bool = false
    ) throws(CheckpointError) {
        guard config.headDimension <= mk_max_head_dim else {
            throw config.fields.mismatch(
                "head_dim", "is \(config.headDimension), at most \(mk_max_head_dim) is supported", kind: .unsupported)
        }
        guard !modules.isAttentionByHead || config.keyValueHeadCount == config.headCount else {
            throw config.fields.mismatch(
                "num_key_value_heads",
                "is \(config.keyValueHeadCount), but this type of model has one for each of its \(config.headCount) heads",
                kind: .unsupported)
        }
        self.config = config
        self.modules = modules
        self.norm = norm
        self.activation = try Self.activation(activation ?? config.activation, config)
        if let positions { self.positions = positions } else { self.positions = .rotary(try Self.rope(config)) }
        windows = hasWindows ? try Self.windows(config) : Array(repeating: 0, count: config.layerCount)
    }

    /// The rotary embedding that all layers share.
    private static func rope(_ config: ModelConfig) throws(CheckpointError) -> RopeParameters {
        guard let rope = config.rope(layer: 0),
            (1..<config.layerCount).allSatisfy({ config.rope(layer: $0) == rope })
        else {
            throw config.fields.mismatch(
                "rope_parameters", "differ between layers, which is not supported for this type of model",
                kind: .unsupported)
        }
        return rope
    }

    private static func windows(_ config: ModelConfig) throws(CheckpointError) -> [Int32] {
        let kinds = ["full_attention", "sliding_attention"]
        if let kind = config.layerTypes.first(where: { !kinds.contains($0) }) {
            throw config.fields.mismatch(
                "layer_types",
                "\(CheckpointError.quoted(kind)) is not supported, expected 'full_attention' or 'sliding_attention'",
                kind: .unsupported)
        }
        return (0..<config.layerCount).map { layer in
            guard let window = config.slidingWindow(layer: layer) else { return 0 }
            // A window as long as all positions is none.
            return window < config.maximumPositions ? Int32(window) : 0
        }
    }

    private static func activation(
        _ name: String, _ config: ModelConfig
    ) throws(CheckpointError) -> mk_activation {
        switch name {
        case "silu", "swish": return mk_silu
        case "gelu", "gelu_python": return mk_gelu
        case "gelu_new", "gelu_fast", "gelu_pytorch_tanh": return mk_gelu_tanh
        case "relu": return mk_relu
        default:
            throw config.fields.mismatch(
                "hidden_act",
                "\(CheckpointError.quoted(name)) is not supported, expected one of 'silu', 'gelu', "
                    + "'gelu_new', 'gelu_pytorch_tanh', 'relu'", kind: .unsupported)
        }
    }
}
