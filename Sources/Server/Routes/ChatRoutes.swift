import Hummingbird
import OpenAIProtocol

/// `POST /v1/chat/completions`.
struct ChatRoutes: Sendable {
    let state: ServerState

    func add(to router: Router<ServerContext>, _ table: RouteTable) {
        table.add(.post, "/v1/chat/completions", to: router, complete)
    }

    private func complete(_ request: Request, _ context: ServerContext) async throws -> Response {
        let arrival = ContinuousClock.now
        var request = request
        let body = try await request.collectJSON(upTo: state.configuration.maxBodyBytes)
        let (engine, limits) = (state.engine, state.limits)
        let (chat, prompt) = try await state.preparation.run(body, depth: limits.depth) { json throws(APIError) in
            let chat = try ChatCompletionRequest(
                json, model: engine.model, defaults: engine.defaults, limits: limits, isAdapter: state.isAdapter)
            return (chat, try chat.prepare(engine.model, engine))
        }
        let lease = try await state.loadAdapters(prompt.adapters)
        let options = state.options(chat.options)
        let head = state.head("chatcmpl", options, chat.adapters, context)
        let run = try GenerationRun(
            [prompt], responseID: head.id, tenant: context.tenant, state: state, arrival: arrival,
            lease: lease, logger: context.logger)
        let encoding = ChatEncoding(head, options, prompt, engine)
        return options.stream
            ? try await GenerationResponse.make(request, run, stream: true, ChatStreamEncoder(encoding))
            : try await GenerationResponse.make(request, run, stream: false, ChatResponseEncoder(encoding))
    }
}
