import Checkpoints

extension DecoderDescription {
    /// Mistral: Llama with a sliding window in all layers. Source: `modeling_mistral.py` of transformers 5.
    static func mistral(_ config: ModelConfig) throws(CheckpointError) -> DecoderDescription {
        try DecoderDescription(config, .llama(config))
    }
}
