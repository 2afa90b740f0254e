import Checkpoints

extension DecoderDescription {
    /// Mistral: Llama with a sliding window in all layers. Source: `modeling_mistral.py` of transformers 5.
    static func mistral(_ config: ModelConfig) throws(CheckpointError) -> DecoderDescription {
        if config.slidingWindow != nil, let kind = config.layerTypes.first(where: { $0 != "sliding_attention" }) {
            throw config.fields.mismatch(
                "layer_types",
                "has \(CheckpointError.quoted(kind)), but all layers of this type of model have its sliding_window",
                kind: .unsupported)
        }
        return try DecoderDescription(config, .llama(config), hasWindows: true)
    }
}
