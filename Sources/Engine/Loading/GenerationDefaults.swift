import Checkpoints
import Sampling

extension SamplingParameters {
    /// The defaults that a model's `generation_config.json` asks for, over vLLM's own.
    ///
    /// As in vLLM, `temperature`, `top_p`, `top_k`, `min_p`, `repetition_penalty` and `max_new_tokens` count. Beyond
    /// vLLM, an explicit `do_sample: false` means greedy decoding, as transformers understands it.
    init(_ config: GenerationConfig) {
        self.init()
        if let value = config.temperature { temperature = value }
        if let value = config.topP { topP = value }
        if let value = config.topK { topK = max(0, value) }
        if let value = config.minP { minP = value }
        if let value = config.repetitionPenalty { repetitionPenalty = value }
        if config.doSample == false { temperature = 0 }
        maxTokens = config.maximumNewTokens
    }
}
