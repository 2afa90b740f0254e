import Engine
import OpenAIProtocol

extension ServerState {
    /// Whether a request may name this adapter: it is loaded, or lies in the library and is loaded then.
    func isAdapter(_ name: String) -> Bool { engine.isLoaded(name) || adapters.folder(of: name) != nil }

    /// Loads what a request names and what only lies in the library.
    func loadAdapters(_ prompts: [PreparedPrompt]) async throws {
        for selection in prompts.first?.adapters ?? [] where !engine.isLoaded(selection.name) {
            guard let folder = adapters.folder(of: selection.name) else { continue }
            do {
                _ = try await engine.loadAdapter(selection.name, path: folder, replacing: false)
            } catch let error as EngineError {
                // Another request may have been faster.
                if !engine.isLoaded(selection.name) { throw APIError(error) }
            }
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

    /// Refuses who may not change what others use: with keys, that needs an admin's.
    func requireAdmin(_ context: ServerContext) throws(APIError) {
        guard !configuration.apiKeys.isEmpty || !configuration.adminKeys.isEmpty, !context.isAdmin else { return }
        throw APIError(
            status: 403, type: "PermissionDeniedError",
            message: configuration.adminKeys.isEmpty
                ? "This needs an admin key; start the server with --admin-key." : "This needs an admin key.")
    }
}
