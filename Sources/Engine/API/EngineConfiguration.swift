package import KVCache

/// What an engine loads and the limits it works within; flags of the same names set them on the command line.
public struct EngineConfiguration: Sendable {
    /// The arithmetic of weights and KV cache.
    public enum DType: String, Sendable, CaseIterable {
        /// The checkpoint's own.
        case auto
        case float32
        case bfloat16
    }

    /// How the weights of linear layers are held.
    public enum Quantization: String, Sendable, CaseIterable {
        /// As `dtype` says.
        case none
        /// Eight bits with a scale for each output.
        case int8
        /// Four bits with a scale for each 32 inputs; the output head in eight.
        case int4
    }

    /// How the KV cache holds keys and values.
    public enum CacheDType: String, Sendable, CaseIterable {
        /// As the weights: bfloat16 or float32.
        case auto
        case float32
        case bfloat16
        /// Eight bits, with one float32 scale for each token and head.
        case int8
    }

    /// In which order requests are served when not all can be.
    public enum SchedulingPolicy: String, Sendable, CaseIterable {
        /// First come, first served.
        case fcfs
        /// The smallest `priority` first; who waits long overtakes.
        case priority
        /// Tenants get equal shares of the work, or shares by weight.
        case fair
    }

    /// A folder, or `org/model[@revision]` in the HuggingFace cache; nil is the demo model.
    public var model: String?
    /// Names under which the model is served; empty means the model argument itself.
    public var servedModelNames: [String] = []
    public var dtype: DType = .auto
    public var quantization: Quantization = .none
    /// Whether bfloat16 weights may be held in 12 bits, without loss and with the same results: done where it is faster.
    public var compressesWeights = true
    /// A folder where packed weights are kept from one start to the next, in files as large as the weights; nil packs
    /// them at every start. Whoever can write there can change what the model says.
    public var weightCache: String?
    /// Longest sequence, prompt and output together; nil takes the model's own limit.
    public var maxModelLength: Int?
    /// Most sequences in one step.
    public var maxSequences = 256
    /// Most tokens in one step.
    public var maxBatchedTokens = 2048
    /// Tokens in one KV block; a power of two up to 128.
    public var blockSize = 16
    /// Bytes for the KV cache and all else that grows with use; nil takes `memoryUtilization` of the free memory.
    public var cacheMemory: Int?
    /// Share of the memory that is free after loading, 0…1; it is taken only as it is used.
    public var memoryUtilization = 0.5
    public var cacheDType: CacheDType = .auto
    /// Whether computed content is kept for requests that begin alike.
    public var enablesPrefixCaching = true
    /// Seconds without any request after which kept content is given up and its memory given back; nil is never.
    public var cacheIdleTimeout: Double? = 300
    /// Whether soft prompts are computed once when they are loaded, and stay in the cache as long as their adapter is in
    /// memory; otherwise the first request computes one, and it is kept like any other content.
    public var precomputesSoftPrompts = false
    public var schedulingPolicy: SchedulingPolicy = .fcfs
    /// Most tokens of one prompt in one step, unless it is alone; 0 is no limit.
    public var longPrefillTokenThreshold = 64
    /// Most tokens of prompts in a step in which others get their next token; 0 is no limit.
    public var maxMixedPrefillTokens = 128
    /// Share of the blocks that stays free for those who run when another request joins them.
    public var watermark = 0.03
    /// Seconds of waiting that outweigh one level of priority, under the policy `priority`.
    public var secondsPerPriority = 10.0
    /// Shares of tenants under the policy `fair`; 1 for those not named.
    public var tenantWeights: [String: Double] = [:]
    /// Told what enters and leaves the prefix cache, on the engine thread.
    package var cacheEvents: (@Sendable ([CacheEvent]) -> Void)?
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
