import Checkpoints

extension DecoderDescription {
    /// Bloom: linear position biases, layer norms, a norm of the embeddings, no gates. Source: `modeling_bloom.py` of
    /// transformers 5.
    static func bloom(_ config: ModelConfig) throws(CheckpointError) -> DecoderDescription {
        let residual = "apply_residual_connection_post_layernorm"
        if try config.fields.bool(residual) ?? false {
            throw config.fields.mismatch(residual, "is true, which is not supported", kind: .unsupported)
        }
        return try DecoderDescription(
            config, .bloom(config), norm: .layer, activation: "gelu_new", positions: .linearBias)
    }
}

extension DecoderModules {
    fileprivate static func bloom(_ config: ModelConfig) -> DecoderModules {
        let hidden = config.hiddenSize
        let queries = config.headCount * config.headDimension
        return DecoderModules(
            base: "transformer.", embedding: "transformer.word_embeddings",
            embeddingNorm: "transformer.word_embeddings_layernorm", layers: "transformer.h",
            inputNorm: "input_layernorm",
            attention: [Linear(name: "self_attention.query_key_value", outputs: 3 * queries, hasBias: true)],
            isAttentionByHead: true,
            attentionOutput: Linear(name: "self_attention.dense", outputs: hidden, hasBias: true),
            feedForwardNorm: "post_attention_layernorm",
            feedForward: .plain(
                Linear(name: "mlp.dense_h_to_4h", outputs: config.intermediateSize, hasBias: true)),
            feedForwardOutput: Linear(name: "mlp.dense_4h_to_h", outputs: hidden, hasBias: true),
            outputNorm: "transformer.ln_f", head: "lm_head")
    }
}
