import Hummingbird
import OpenAIProtocol

/// `POST /tokenize` and `POST /detokenize`.
struct TokenizeRoutes: Sendable {
    let state: ServerState

    func add(to router: Router<ServerContext>, _ table: RouteTable) {
        table.add(.post, "/tokenize", to: router, tokenize)
        table.add(.post, "/detokenize", to: router, detokenize)
    }

    private func tokenize(_ request: Request, _ context: ServerContext) async throws -> Response {
        var request = request
        let body = try await request.collectJSON(upTo: state.configuration.maxBodyBytes)
        let (engine, limits) = (state.engine, state.limits)
        let bytes = try await state.preparation.run(body, depth: limits.depth) { json throws(APIError) in
            try TokenizeRequest(json, model: engine.model, limits: limits, isAdapter: state.isAdapter)
                .respond(engine.model, engine)
        }
        return .json(bytes)
    }

    private func detokenize(_ request: Request, _ context: ServerContext) async throws -> Response {
        var request = request
        let body = try await request.collectJSON(upTo: state.configuration.maxBodyBytes)
        let engine = state.engine
        let wanted = try await state.preparation.run(body, depth: state.limits.depth) { json throws(APIError) in
            try DetokenizeRequest(json, model: engine.model, isAdapter: state.isAdapter)
        }
        // Only a loaded adapter tells how many tokens it brings.
        let lease = try await state.loadAdapters(wanted.adapters.selections)
        defer { withExtendedLifetime(lease) {} }
        return .json(
            try wanted.respond(engine, vocabularySize: state.vocabularySize(with: wanted.adapters.selections)))
    }
}
