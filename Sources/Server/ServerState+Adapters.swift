import Engine
import OpenAIProtocol

extension ServerState {
    /// Whether a request may name this adapter: it is loaded, or lies in the library and is loaded then.
    func isAdapter(_ name: String) -> Bool { engine.isLoaded(name) || adapters.folder(of: name) != nil }

    /// Loads what a request names and what only lies in the library, or was given up; it stays as long as the lease.
    func loadAdapters(_ selections: [AdapterSelection]) async throws -> AdapterLease? {
        for selection in selections where !engine.isLoaded(selection.name) {
            guard let folder = adapters.folder(of: selection.name) else { continue }
            do {
                _ = try await engine.loadAdapter(selection.name, path: folder, replacing: false)
            } catch let error as EngineError {
                // Another request may have been faster.
                if !engine.isLoaded(selection.name) { throw APIError(error) }
            }
        }
        do {
            return try await engine.prepareAdapters(selections.map(\.name))
        } catch let error as EngineError {
            throw APIError(error)
        }
    }

    /// All adapters that requests may name, with their folders.
    var knownAdapters: [(name: String, path: String)] {
        let loaded = engine.loadedAdapters.map { (name: $0.name, path: $0.path) }
        let names = Set(loaded.map(\.name))
        return loaded
            + adapters.names.filter { !names.contains($0) }.compactMap { name in
                adapters.folder(of: name).map { (name: name, path: $0) }
            }
    }

    /// Token ids that exist for requests with these adapters, which must be loaded.
    func vocabularySize(with selections: [AdapterSelection]) -> Int {
        let names = Set(selections.map(\.name))
        return engine.loadedAdapters.filter { names.contains($0.name) }
            .reduce(engine.model.vocabularySize) { max($0, $1.vocabularySize) }
    }

    /// What clients see of a loaded adapter.
    func card(_ adapter: AdapterInformation) -> AdapterCard {
        AdapterCard(adapter, engine.statistics().adapters.byName[adapter.name])
    }

    /// What clients see of all adapters: those that are loaded, then those that only lie in the library.
    var adapterCards: [AdapterCard] {
        let statistics = engine.statistics().adapters
        let loaded = engine.loadedAdapters
        let names = Set(loaded.map(\.name))
        return loaded.map { AdapterCard($0, statistics.byName[$0.name]) }
            + adapters.names.filter { !names.contains($0) }.compactMap { name in
                adapters.folder(of: name).map { AdapterCard(name: name, path: $0) }
            }
    }

    /// Refuses who may not change what others use: with keys, that needs an admin's.
    func requireAdmin(_ context: ServerContext) throws(APIError) {
        guard !configuration.apiKeys.isEmpty || !configuration.adminKeys.isEmpty, !context.isAdmin else { return }
        throw APIError(
            status: 403, type: "PermissionDeniedError",
            message: configuration.adminKeys.isEmpty
                ? "This needs an admin key; start the server with --admin-key." : "This needs an admin key.")
    }
}
