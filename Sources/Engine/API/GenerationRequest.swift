public import Sampling

/// One prompt to complete, as token ids.
public struct GenerationRequest: Sendable {
    /// Unique among the requests in flight; used in logs and to abort.
    public var id: String
    public var prompt: [Int32]
    /// In place of `prompt`, which is empty then.
    public var embeddings: PromptEmbeddings?
    public var sampling: SamplingParameters
    /// Adapters whose changes are added up; none is the base model.
    public var adapters: [AdapterSelection] = []
    /// What `prepare` gave for them: the request gets that content, whatever the names stand for by now.
    public var lease: AdapterLease?
    /// Whether a prompt that does not invoke an Activated LoRA is refused, instead of being answered by the base model.
    public var requiresInvocation = false
    /// Only requests with the same salt share cached content.
    public var cacheSalt: String?
    /// Whether cached content may be used; what this request computes is kept either way.
    public var readsCache = true
    /// Smaller is served earlier, under the policy `priority`.
    public var priority = 0
    /// For whom the request is served, under the policy `fair`.
    public var tenant = ""

    /// Whether `maxTokens` gives way where the context has less room, instead of the request being refused.
    public var shortensOutput = false

    public init(id: String, prompt: [Int32], sampling: SamplingParameters) {
        self.id = id
        self.prompt = prompt
        self.sampling = sampling
    }
    /// Positions of the prompt.
    var promptCount: Int { embeddings?.count ?? prompt.count }
}
