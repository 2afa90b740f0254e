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
    var loadedAdapters: [AdapterInformation] { get }
    func loadAdapter(_ name: String, path: String, replacing: Bool) async throws -> AdapterInformation
    func unloadAdapter(_ name: String) throws(EngineError)
    func isLoaded(_ adapter: String) -> Bool
    func statistics() -> EngineStatistics
    func drain(within limit: Duration) async
}
