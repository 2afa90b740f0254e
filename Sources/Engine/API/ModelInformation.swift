/// What clients may know of the model that an engine serves.
public struct ModelInformation: Sendable {
    /// Names that requests may use; the first is the one that responses carry.
    public let servedNames: [String]
    /// The model argument as given.
    public let root: String
    /// Longest sequence, prompt and output together, in tokens.
    public let maxModelLength: Int
    public let vocabularySize: Int
    /// Numbers of an input embedding.
    public let hiddenSize: Int
    /// `float32` or `bfloat16`.
    public let dtype: String
    /// How the weights of linear layers are held.
    public let quantization: EngineConfiguration.Quantization
    /// `model_type` of its configuration.
    public let architecture: String
    public let parameterCount: Int
    /// Unix time at which loading finished.
    public let created: Int
    /// Bytes of packed weights that a step reads, however many tokens it computes.
    public var weightBytesPerStep = 0
    /// Bytes of keys and values of one token in the cache.
    public var cacheBytesPerToken = 0
}
