import Hummingbird
import OpenAIProtocol

/// `POST /v1/completions`.
struct CompletionRoutes: Sendable {
    let state: ServerState

    func add(to router: Router<ServerContext>, _ table: RouteTable) {
        table.add(.post, "/v1/completions", to: router, complete)
    }

    private func complete(_ request: Request, _ context: ServerContext) async throws -> Response {
        let arrival = ContinuousClock.now
        var request = request
        let body = try await request.collectJSON(upTo: state.configuration.maxBodyBytes)
        let (engine, limits) = (state.engine, state.limits)
        var (completion, prompts) = try await state.preparation.run(body, depth: limits.depth) {
            json throws(APIError) in
            let completion = try CompletionRequest(
                json, model: engine.model, defaults: engine.defaults, limits: limits, isAdapter: state.isAdapter)
            return (completion, try completion.prepare(engine.model, engine))
        }
        let lease = try await state.loadAdapters(completion.adapters.selections)
        completion.options = state.options(completion.options)
        let head = state.head("cmpl", completion.options, completion.adapters, context)
        let run = try GenerationRun(
            prompts, responseID: head.id, tenant: context.tenant, state: state, arrival: arrival,
            lease: lease, logger: context.logger)
        let encoding = CompletionEncoding(head, completion, prompts, engine)
        return completion.options.stream
            ? try await GenerationResponse.make(request, run, stream: true, CompletionStreamEncoder(encoding))
            : try await GenerationResponse.make(request, run, stream: false, CompletionResponseEncoder(encoding))
    }
}
