internal import Adapters
import CKernels
import Checkpoints
import Compute

/// Weights of a model of the Llama family, packed.
///
/// Source of names and order of operations: `modeling_llama.py` of transformers 5.
final class LlamaModel: @unchecked Sendable {
    struct Layer {
        let inputNorm: FloatBuffer
        /// q, k and v side by side.
        let attention: PackedLinear
        let attentionOutput: PackedLinear
        let feedForwardNorm: FloatBuffer
        /// Gate and up, alternating.
        let feedForward: PackedLinear
        let feedForwardOutput: PackedLinear
    }

    let shape: ModelShape
    let catalog: ModelCatalog
    let intermediateSize: Int
    let normEpsilon: Float
    let activation: mk_activation
    let layers: [Layer]
    let outputNorm: FloatBuffer
    let head: PackedLinear
    /// Nil where the head's weights are the embeddings.
    let embeddings: EmbeddingTable?
    let rope: RopeParameters

    init(_ source: ModelSource, pool: WorkerPool) throws {
        let config = source.config
        activation = try Self.activation(config)
        rope = config.rope(layer: 0) ?? RopeParameters(theta: 10_000)
        guard config.headDimension <= mk_max_head_dim else {
            throw config.fields.mismatch(
                "head_dim", "is \(config.headDimension), at most \(mk_max_head_dim) is supported", kind: .unsupported)
        }
        catalog = Self.catalog(config)
        intermediateSize = config.intermediateSize
        normEpsilon = Float(config.normEpsilon)

        let loader = WeightLoader(source, pool: pool)
        let hidden = config.hiddenSize
        let vocabulary = config.vocabularySize
        layers = try (0..<config.layerCount).map { try Self.layer($0, config, loader) }
        outputNorm = try loader.vector("model.norm.weight", count: hidden)
        if config.tiesWordEmbeddings {
            head = try loader.fused(inputs: hidden, [("model.embed_tokens", vocabulary, false)])
            embeddings = nil
        } else {
            head = try loader.fused(inputs: hidden, [("lm_head", vocabulary, false)])
            embeddings = try loader.table("model.embed_tokens.weight", rows: vocabulary, columns: hidden)
        }
        try loader.finish { name in
            // Old exports store the rotary frequencies; a tied head may be stored a second time.
            name.hasSuffix("rotary_emb.inv_freq") || (config.tiesWordEmbeddings && name == "lm_head.weight")
        }
        shape = ModelShape(
            architecture: config.modelType, dtype: source.dtype, layers: config.layerCount, hiddenSize: hidden,
            heads: config.headCount, kvHeads: config.keyValueHeadCount, headDim: config.headDimension,
            vocabularySize: vocabulary, maxPositions: config.maximumPositions,
            parameterCount: loader.parameterCount, weightBytes: loader.weightBytes)
    }

    /// The token's embedding.
    func readEmbedding(_ token: Int32, to out: UnsafeMutablePointer<Float>) {
        if let embeddings { return embeddings.read(Int(token), to: out) }
        withUnsafePointer(to: head.packed) { mk_unpack_column($0, token, 0, Int32(shape.hiddenSize), out) }
    }

    private static func layer(_ index: Int, _ config: ModelConfig, _ loader: WeightLoader) throws -> Layer {
        let prefix = "model.layers.\(index)."
        let attention = prefix + "self_attn."
        let feedForward = prefix + "mlp."
        let hidden = config.hiddenSize
        let queries = config.headCount * config.headDimension
        let keys = config.keyValueHeadCount * config.headDimension
        let bias = config.hasAttentionBias
        return Layer(
            inputNorm: try loader.vector(prefix + "input_layernorm.weight", count: hidden),
            attention: try loader.fused(
                inputs: hidden,
                [
                    (attention + "q_proj", queries, bias), (attention + "k_proj", keys, bias),
                    (attention + "v_proj", keys, bias),
                ]),
            attentionOutput: try loader.fused(inputs: queries, [(attention + "o_proj", hidden, bias)]),
            feedForwardNorm: try loader.vector(prefix + "post_attention_layernorm.weight", count: hidden),
            feedForward: try loader.gated(
                inputs: hidden, columns: config.intermediateSize, gate: feedForward + "gate_proj",
                up: feedForward + "up_proj", hasBias: config.hasMLPBias),
            feedForwardOutput: try loader.fused(
                inputs: config.intermediateSize, [(feedForward + "down_proj", hidden, config.hasMLPBias)]))
    }

    private static func activation(_ config: ModelConfig) throws -> mk_activation {
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
