internal import Adapters
import Checkpoints

extension LlamaModel {
    /// The modules of a model with this configuration, by the names of transformers' `modeling_llama.py`.
    static func catalog(_ config: ModelConfig) -> ModelCatalog {
        let hidden = config.hiddenSize
        let vocabulary = config.vocabularySize
        var modules = [
            ModelCatalog.Module(name: "model.embed_tokens", kind: .embedding, inputs: vocabulary, outputs: hidden)
        ]
        for layer in 0..<config.layerCount { modules += Self.modules(config, layer: layer) }
        modules += [
            .init(name: "model.norm", kind: .norm, inputs: hidden, outputs: hidden),
            .init(name: "lm_head", kind: .linear, inputs: hidden, outputs: vocabulary),
        ]
        return ModelCatalog(
            modules: modules, embedding: "model.embed_tokens", head: "lm_head", tiesHead: config.tiesWordEmbeddings,
            vocabularySize: vocabulary, hiddenSize: hidden,
            keyValueShapes: Array(
                repeating: .init(heads: config.keyValueHeadCount, dimension: config.headDimension),
                count: config.layerCount))
    }

    private static func modules(_ config: ModelConfig, layer: Int) -> [ModelCatalog.Module] {
        let prefix = "model.layers.\(layer)."
        let hidden = config.hiddenSize
        let queries = config.headCount * config.headDimension
        let keys = config.keyValueHeadCount * config.headDimension
        func linear(_ name: String, _ inputs: Int, _ outputs: Int, _ hasBias: Bool) -> ModelCatalog.Module {
            .init(name: prefix + name, kind: .linear, inputs: inputs, outputs: outputs, layer: layer, hasBias: hasBias)
        }
        func norm(_ name: String) -> ModelCatalog.Module {
            .init(name: prefix + name, kind: .norm, inputs: hidden, outputs: hidden, layer: layer)
        }
        return [
            norm("input_layernorm"),
            linear("self_attn.q_proj", hidden, queries, config.hasAttentionBias),
            linear("self_attn.k_proj", hidden, keys, config.hasAttentionBias),
            linear("self_attn.v_proj", hidden, keys, config.hasAttentionBias),
            linear("self_attn.o_proj", queries, hidden, config.hasAttentionBias),
            norm("post_attention_layernorm"),
            linear("mlp.gate_proj", hidden, config.intermediateSize, config.hasMLPBias),
            linear("mlp.up_proj", hidden, config.intermediateSize, config.hasMLPBias),
            linear("mlp.down_proj", config.intermediateSize, hidden, config.hasMLPBias),
        ]
    }
}
