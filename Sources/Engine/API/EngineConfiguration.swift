/// What an engine loads and the limits it works within; flags of the same names set them on the command line.
public struct EngineConfiguration: Sendable {
    /// The arithmetic of weights and KV cache.
    public enum DType: String, Sendable, CaseIterable {
        /// The checkpoint's own.
        case auto
        case float32
        case bfloat16
    }

    /// A folder, or `org/model[@revision]` in the HuggingFace cache; nil is the demo model.
    public var model: String?
    /// Names under which the model is served; empty means the model argument itself.
    public var servedModelNames: [String] = []
    public var dtype: DType = .auto
    /// Longest sequence, prompt and output together; nil takes the model's own limit.
    public var maxModelLength: Int?
    /// Most sequences in one step.
    public var maxSequences = 256
    /// Most tokens in one step.
    public var maxBatchedTokens = 2048
    /// Tokens in one KV block; a power of two up to 128.
    public var blockSize = 16
    /// Bytes for the KV cache; nil takes a share of the free memory.
    public var cacheMemory: Int?
    /// Threads for kernels; nil takes one for each core.
    public var threads: Int?
    /// Seeds requests that bring no seed of their own; nil draws at random.
    public var seed: UInt64?
    /// A template that replaces the model's own: its text.
    public var chatTemplate: String?
    /// Requests that may wait; one more is refused.
    public var maxQueuedRequests = 1024

    public init(model: String? = nil) { self.model = model }
}
