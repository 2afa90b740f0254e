import Engine
import OpenAIProtocol
import Sampling

/// What the server needs of an engine; `InferenceEngine` is the one that counts, tests script another.
package protocol EngineService: TextService {
    var model: ModelInformation { get }
    /// Parameters for requests that leave them open.
    var defaults: SamplingParameters { get }
    var isHealthy: Bool { get }
    func generate(_ request: GenerationRequest) throws(EngineError) -> GenerationStream
    func abort(_ id: String)
    func resetPrefixCache() async
    func statistics() -> EngineStatistics
    func drain(within limit: Duration) async
}
