import Checkpoints

extension DecoderDescription {
    /// Llama, and what is built like it. Source: `modeling_llama.py` of transformers 5.
    static func llama(_ config: ModelConfig) throws(CheckpointError) -> DecoderDescription {
        try DecoderDescription(
            config,
            .llama(
                config, hasQueryBias: config.hasAttentionBias, hasOutputBias: config.hasAttentionBias,
                hasMLPBias: config.hasMLPBias))
    }
}

extension DecoderModules {
    /// The modules of Llama, whose names most later architectures share.
    static func llama(
        _ config: ModelConfig, hasQueryBias: Bool = false, hasOutputBias: Bool = false, hasMLPBias: Bool = false
    ) -> DecoderModules {
        let hidden = config.hiddenSize
        let inner = config.intermediateSize
        let queries = config.headCount * config.headDimension
        let keys = config.keyValueHeadCount * config.headDimension
        return DecoderModules(
            base: "model.", embedding: "model.embed_tokens", layers: "model.layers", inputNorm: "input_layernorm",
            attention: [
                Linear(name: "self_attn.q_proj", outputs: queries, hasBias: hasQueryBias),
                Linear(name: "self_attn.k_proj", outputs: keys, hasBias: hasQueryBias),
                Linear(name: "self_attn.v_proj", outputs: keys, hasBias: hasQueryBias),
            ],
            attentionOutput: Linear(name: "self_attn.o_proj", outputs: hidden, hasBias: hasOutputBias),
            feedForwardNorm: "post_attention_layernorm",
            feedForward: .gated(
                Linear(name: "mlp.gate_proj", outputs: inner, hasBias: hasMLPBias),
                Linear(name: "mlp.up_proj", outputs: inner, hasBias: hasMLPBias)),
            feedForwardOutput: Linear(name: "mlp.down_proj", outputs: hidden, hasBias: hasMLPBias),
            outputNorm: "model.norm", head: "lm_head")
    }
}
