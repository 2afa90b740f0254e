import ArgumentParser
import Sampling

/// How tokens are chosen; what is not given stays as the model's generation config says.
struct SamplingOptions: ParsableArguments {
    @Option(name: .customLong("max-tokens"), help: ArgumentHelp("Most tokens to generate.", valueName: "count"))
    var maxTokens: TokenCount?

    @Option(
        name: .customLong("min-tokens"),
        help: ArgumentHelp("Tokens that are generated before the end is allowed.", valueName: "count"))
    var minTokens: Int?

    @Option(name: [.long, .customShort("t")], help: ArgumentHelp("Randomness; 0 is greedy.", valueName: "number"))
    var temperature: Double?

    @Option(
        name: .customLong("top-p"), help: ArgumentHelp("Keep the likeliest tokens up to this mass.", valueName: "0…1"))
    var topP: Double?

    @Option(
        name: .customLong("top-k"), parsing: .unconditional,
        help: ArgumentHelp("Keep this many likeliest tokens; 0 or -1 keeps all.", valueName: "count"))
    var topK: Int?

    @Option(
        name: .customLong("min-p"),
        help: ArgumentHelp("Drop tokens less likely than this share of the likeliest one.", valueName: "0…1"))
    var minP: Double?

    @Option(help: ArgumentHelp("Makes the random choices repeatable.", valueName: "number"))
    var seed: UInt64?

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Text that ends the output; repeatable.", valueName: "text"))
    var stop: [String] = []

    @Option(
        name: .customLong("stop-token-id"),
        help: ArgumentHelp("Token that ends the output; repeatable.", valueName: "id"))
    var stopTokenIDs: [Int32] = []

    @Option(
        name: .customLong("presence-penalty"), parsing: .unconditional,
        help: ArgumentHelp("Lowers tokens that occurred in the output.", valueName: "-2…2"))
    var presencePenalty: Double?

    @Option(
        name: .customLong("frequency-penalty"), parsing: .unconditional,
        help: ArgumentHelp("The same, once for each occurrence.", valueName: "-2…2"))
    var frequencyPenalty: Double?

    @Option(
        name: .customLong("repetition-penalty"),
        help: ArgumentHelp("Lowers tokens of prompt and output by division.", valueName: "number"))
    var repetitionPenalty: Double?

    @Option(
        name: .customLong("bad-word"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Text that is never generated; repeatable.", valueName: "text"))
    var badWords: [String] = []

    @Flag(name: .customLong("ignore-eos"), help: "Go on past the model's end tokens.")
    var ignoreEOS = false

    /// `defaults` with what was given on the command line over them.
    func parameters(over defaults: SamplingParameters) -> SamplingParameters {
        var parameters = defaults
        if let maxTokens { parameters.maxTokens = maxTokens.tokens }
        if let minTokens { parameters.minTokens = minTokens }
        if let temperature { parameters.temperature = temperature }
        if let topP { parameters.topP = topP }
        if let topK { parameters.topK = topK == -1 ? 0 : topK }
        if let minP { parameters.minP = minP }
        if let seed { parameters.seed = seed }
        if let presencePenalty { parameters.presencePenalty = presencePenalty }
        if let frequencyPenalty { parameters.frequencyPenalty = frequencyPenalty }
        if let repetitionPenalty { parameters.repetitionPenalty = repetitionPenalty }
        parameters.stop += stop
        parameters.stopTokenIDs += stopTokenIDs
        parameters.badWords += badWords
        parameters.ignoreEOS = parameters.ignoreEOS || ignoreEOS
        return parameters
    }
}
