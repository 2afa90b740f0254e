/// How the tokens of one request are chosen and when it ends; names and defaults follow vLLM's `SamplingParams`.
public struct SamplingParameters: Sendable, Equatable {
    /// Number of independent completions of the prompt.
    public var n = 1
    /// Most tokens to generate; nil means up to the context length.
    public var maxTokens: Int?
    /// Tokens that are generated before an end token or a stop condition can end the request.
    public var minTokens = 0

    /// Divides the logits; 0 is greedy decoding.
    public var temperature = 1.0
    /// Keeps the smallest set of most probable tokens whose mass reaches this.
    public var topP = 1.0
    /// Keeps the k most probable tokens; 0 keeps all.
    public var topK = 0
    /// Drops tokens less probable than this fraction of the most probable one.
    public var minP = 0.0
    /// Key of the random generator; nil draws one when the request arrives.
    public var seed: UInt64?

    /// Subtracted from the logits of tokens that occur in the output (OpenAI).
    public var presencePenalty = 0.0
    /// Subtracted from the logits once for each occurrence in the output (OpenAI).
    public var frequencyPenalty = 0.0
    /// Divides positive and multiplies negative logits of tokens in prompt or output (CTRL, Keskar et al. 2019).
    public var repetitionPenalty = 1.0

    /// Added to the logits of these tokens.
    public var logitBias: [Int32: Float] = [:]
    /// When not nil, only these tokens can be generated.
    public var allowedTokenIDs: [Int32]?
    /// Texts that are never generated.
    public var badWords: [String] = []

    /// Texts that end the request as soon as they appear in the output.
    public var stop: [String] = []
    /// Tokens that end the request, besides the model's own end tokens.
    public var stopTokenIDs: [Int32] = []
    /// Whether the text that ended the request is part of the output.
    public var includeStopStringInOutput = false
    /// Goes on past the model's end tokens.
    public var ignoreEOS = false

    /// Report the log probability of each generated token and of this many most probable ones; nil reports none.
    public var logprobs: Int?
    /// The same for the tokens of the prompt.
    public var promptLogprobs: Int?
    /// Leaves special tokens out of the text.
    public var skipSpecialTokens = true

    public init() {}

    /// Deterministic choice of the most probable token.
    public static var greedy: SamplingParameters {
        var parameters = SamplingParameters()
        parameters.temperature = 0
        return parameters
    }

    /// Whether every token is simply the most probable one.
    public var isGreedy: Bool { temperature == 0 }
}
