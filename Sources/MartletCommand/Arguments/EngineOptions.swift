import ArgumentParser
import Engine

/// Options of every command that loads a model; spelled as in vLLM where vLLM has the thing.
struct EngineOptions: ParsableArguments {
    @Option(help: "Arithmetic of weights and KV cache; auto is the checkpoint's own.")
    var dtype: DTypeArgument = .auto

    @Option(
        help: """
            Weights of linear layers: none leaves them in their type; int8 and int4 (whose output head is int8) take less \
            memory and time and round the results.
            """)
    var quantization: QuantizationArgument = .none

    @Option(
        name: .customLong("weight-compression"),
        help: "Hold bfloat16 weights in 12 bits, with the same results: auto does so where it is faster.")
    var compression: CompressionArgument = .auto

    @Option(
        name: .customLong("weight-cache"),
        help: ArgumentHelp(
            """
            Folder that keeps packed weights for the next start, in files as large as the weights; nobody else should be \
            able to write there.
            """, valueName: "folder"))
    var weightCache: String?

    @Option(
        name: .customLong("max-model-len"), parsing: .unconditional,
        help: ArgumentHelp(
            "Longest sequence, prompt and output together, in tokens (4096, 32k); auto is what the model and the memory allow.",
            valueName: "tokens"))
    var maxModelLength: ModelLength?

    @Option(help: ArgumentHelp("Threads for the arithmetic; the default is one for each core.", valueName: "count"))
    var threads: Int?

    @Option(
        name: .customLong("chat-template"),
        help: ArgumentHelp("Chat template in place of the model's own: a file, or its text.", valueName: "template"))
    var chatTemplate: String?

    @OptionGroup(title: "Cache") var cache: CacheOptions

    /// The configuration for `model`, before a command's own additions.
    func configuration(model: String?) throws -> EngineConfiguration {
        var configuration = EngineConfiguration(model: model)
        configuration.dtype = dtype.dtype
        configuration.quantization = quantization.quantization
        configuration.compressesWeights = compression == .auto
        configuration.weightCache = weightCache
        configuration.maxModelLength = maxModelLength?.tokens
        cache.apply(to: &configuration)
        configuration.threads = threads
        configuration.chatTemplate = try chatTemplate.map(ChatTemplateArgument.text)
        return configuration
    }
}

/// Options that bound one step of the engine, in vLLM's spelling.
struct BatchOptions: ParsableArguments {
    @Option(
        name: .customLong("max-num-seqs"), help: ArgumentHelp("Most sequences in one step.", valueName: "count"))
    var maxSequences = EngineConfiguration().maxSequences

    @Option(
        name: .customLong("max-num-batched-tokens"),
        help: ArgumentHelp("Most tokens in one step, over all sequences.", valueName: "tokens"))
    var maxBatchedTokens = TokenCount(EngineConfiguration().maxBatchedTokens)

    @Option(
        name: .customLong("block-size"),
        help: ArgumentHelp("Tokens in one block of the KV cache: a power of two up to 128.", valueName: "tokens"))
    var blockSize = EngineConfiguration().blockSize

    @Option(
        name: .customLong("long-prefill-token-threshold"),
        help: ArgumentHelp(
            "Most tokens of one prompt in one step, unless it is alone; 0 is no limit.", valueName: "tokens"))
    var longPrefillTokenThreshold = EngineConfiguration().longPrefillTokenThreshold

    @Option(
        name: .customLong("max-mixed-prefill-tokens"),
        help: ArgumentHelp(
            "Most tokens of prompts in a step in which others get their next token; 0 is no limit.",
            valueName: "tokens"))
    var maxMixedPrefillTokens = EngineConfiguration().maxMixedPrefillTokens

    func apply(to configuration: inout EngineConfiguration) {
        configuration.maxSequences = maxSequences
        configuration.maxBatchedTokens = maxBatchedTokens.tokens
        configuration.blockSize = blockSize
        configuration.longPrefillTokenThreshold = longPrefillTokenThreshold
        configuration.maxMixedPrefillTokens = maxMixedPrefillTokens
    }
}
