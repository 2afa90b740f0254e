import Logging
import OpenAIProtocol
import Synchronization

/// What all routes of one server share.
final class ServerState: Sendable {
    let engine: any EngineService
    let configuration: ServerConfiguration
    let limits: RequestLimits
    let logger: Logger
    let preparation = PreparationQueue()
    let traffic = TrafficCounters()
    let adapters: AdapterFolders

    private let nextRequest = Atomic<Int>(0)
    private let inFlight = Atomic<Int>(0)
    private let draining = Atomic<Bool>(false)

    init(_ engine: any EngineService, _ configuration: ServerConfiguration, _ logger: Logger) {
        self.engine = engine
        self.configuration = configuration
        self.logger = logger
        adapters = AdapterFolders(library: configuration.adapterLibrary, roots: configuration.adapterRoots)
        var limits = RequestLimits()
        limits.prompts = configuration.maxPrompts
        limits.sequences = configuration.maxSequencesPerRequest
        limits.acceptsPromptEmbeddings = configuration.acceptsPromptEmbeddings
        limits.trustsChatTemplates = configuration.trustsRequestChatTemplates
        self.limits = limits
    }

    /// Whether the server is stopping.
    var isDraining: Bool { draining.load(ordering: .relaxed) }
    func beginDraining() { draining.store(true, ordering: .relaxed) }

    /// Generation requests between their start and the end of their response.
    var load: Int { inFlight.load(ordering: .relaxed) }
    func enter() { inFlight.add(1, ordering: .relaxed) }
    func leave() { inFlight.subtract(1, ordering: .relaxed) }

    /// A number that no other request of this process has.
    func nextNumber() -> Int { nextRequest.add(1, ordering: .relaxed).newValue }
}
