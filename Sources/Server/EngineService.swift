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
    /// Reads the adapter again from where it was loaded.
    func reloadAdapter(_ name: String) async throws -> AdapterInformation
    func unloadAdapter(_ name: String) throws(EngineError)
    /// Whether the adapter has a name, in memory or not.
    func isLoaded(_ adapter: String) -> Bool
    /// Sees to it that adapters are in memory until the lease is let go; nil when there is nothing to hold.
    func prepareAdapters(_ names: [String]) async throws -> AdapterLease?
    func pinAdapter(_ name: String, _ isPinned: Bool) throws(EngineError)
    func statistics() -> EngineStatistics
    func drain(within limit: Duration) async
}
