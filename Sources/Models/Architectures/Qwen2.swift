import Checkpoints

extension DecoderDescription {
    /// Qwen 2 and 2.5: Llama with biases of queries, keys and values, and a sliding window in some layers, if any.
    /// Source: `modeling_qwen2.py` of transformers 5.
    static func qwen2(_ config: ModelConfig) throws(CheckpointError) -> DecoderDescription {
        try DecoderDescription(config, .llama(config, hasQueryBias: true), hasWindows: true)
    }
}
