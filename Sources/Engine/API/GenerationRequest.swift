public import Sampling

/// One prompt to complete, as token ids.
public struct GenerationRequest: Sendable {
    /// Unique among the requests in flight; used in logs and to abort.
    public var id: String
    public var prompt: [Int32]
    public var sampling: SamplingParameters

    public init(id: String, prompt: [Int32], sampling: SamplingParameters) {
        self.id = id
        self.prompt = prompt
        self.sampling = sampling
    }
}
