import CKernels
import Checkpoints

/// What a decoder-only transformer is made of: sizes, kinds of operations and names of modules; no weights.
///
/// In each layer attention, then a feed-forward network, reads the norm of the residual stream and adds to the stream.
struct DecoderDescription: Sendable {
    let config: ModelConfig
    let modules: DecoderModules
    let activation: mk_activation
    /// The rotary embedding of queries and keys.
    let rope: RopeParameters
    /// Positions that a token of a layer sees, itself included; 0 means all.
    let windows: [Int32]

    var layers: Int { config.layerCount }
    /// Channels of a token's queries.
    var queryChannels: Int { config.headCount * config.headDimension }
    /// Channels of a token's keys, and as many of its values.
    var keyChannels: Int { config.keyValueHeadCount * config.headDimension }

    init(_ config: ModelConfig, _ modules: DecoderModules) throws(CheckpointError) {
        guard config.headDimension <= mk_max_head_dim else {
            throw config.fields.mismatch(
                "head_dim", "is \(config.headDimension), at most \(mk_max_head_dim) is supported", kind: .unsupported)
        }
        self.config = config
        self.modules = modules
        activation = try Self.activation(config)
        rope = config.rope(layer: 0) ?? RopeParameters(theta: 10_000)
        windows = Array(repeating: 0, count: config.layerCount)
    }

    private static func activation(_ config: ModelConfig) throws(CheckpointError) -> mk_activation {
        switch config.activation {
        case "silu", "swish": return mk_silu
        case "gelu", "gelu_python": return mk_gelu
        case "gelu_new", "gelu_fast", "gelu_pytorch_tanh": return mk_gelu_tanh
        case "relu": return mk_relu
        default:
            throw config.fields.mismatch(
                "hidden_act",
                "\(CheckpointError.quoted(config.activation)) is not supported, expected one of 'silu', 'gelu', "
                    + "'gelu_new', 'gelu_pytorch_tanh', 'relu'", kind: .unsupported)
        }
    }
}
