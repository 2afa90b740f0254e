import Checkpoints
import Engine
import Hummingbird
import NIOCore
import OpenAIProtocol

/// Adapters while serving: vLLM's `/v1/load_lora_adapter` and `/v1/unload_lora_adapter`, and `/v1/adapters`.
struct AdapterRoutes: Sendable {
    let state: ServerState

    func add(to router: Router<ServerContext>, _ table: RouteTable) {
        table.add(.post, "/v1/load_lora_adapter", to: router) { request, context in
            let name = try await load(request, context).name
            return .text("Success: LoRA adapter '\(name)' added successfully.")
        }
        table.add(.post, "/v1/unload_lora_adapter", to: router) { request, context in
            try state.requireAdmin(context)
            let name = try await body(request) { json throws(APIError) in try NamedAdapterRequest(json).name }
            try unload(name)
            return .text("Success: LoRA adapter '\(name)' removed successfully.")
        }
        table.add(.get, "/v1/adapters", to: router) { _, _ in .json(AdapterList.all(state.adapterCards)) }
        table.add(.get, "/v1/adapters/**", to: router) { _, context in
            let name = Self.name(context)
            guard let card = state.adapterCards.first(where: { $0.name == name }) else { throw Self.unknown(name) }
            return .json(AdapterList.one(card))
        }
        table.add(.post, "/v1/adapters", to: router) { request, context in
            .json(AdapterList.one(state.card(try await load(request, context))))
        }
        table.add(.post, "/v1/adapters/reload", to: router) { request, context in
            .json(AdapterList.one(state.card(try await reload(request, context))))
        }
        table.add(.post, "/v1/adapters/pin", to: router) { request, context in
            try state.requireAdmin(context)
            let wanted = try await body(request) { json throws(APIError) in try PinAdapterRequest(json) }
            do throws(EngineError) { try state.engine.pinAdapter(wanted.name, wanted.isPinned) } catch {
                throw Self.refusal(error)
            }
            return .json(AdapterList.all(state.adapterCards))
        }
        table.add(.delete, "/v1/adapters/**", to: router) { _, context in
            try state.requireAdmin(context)
            try unload(Self.name(context))
            return Response(status: .noContent)
        }
    }

    private static func name(_ context: ServerContext) -> String {
        context.parameters.getCatchAll().map { PercentEncoding.decode($0) }.joined(separator: "/")
    }

    private static func unknown(_ name: String) -> APIError {
        .notFound("The LoRA adapter \(APIError.quoted(name)) cannot be found.", parameter: "lora_name")
    }

    private static func refusal(_ error: EngineError) -> APIError {
        switch error {
        case .unknownAdapter(let name): unknown(name)
        case .invalidRequest(let parameter, let message):
            APIError(status: 400, type: "InvalidUserInput", message: message, parameter: parameter)
        default: APIError(error)
        }
    }

    private func body<T: Sendable>(
        _ request: Request, _ read: @escaping @Sendable (JSONValue) throws(APIError) -> T
    ) async throws -> T {
        var request = request
        let body = try await request.collectJSON(upTo: state.configuration.maxBodyBytes)
        return try await state.preparation.run(body, depth: state.limits.depth) { json throws(APIError) in
            try read(json)
        }
    }

    private func load(_ request: Request, _ context: ServerContext) async throws -> AdapterInformation {
        try state.requireAdmin(context)
        let wanted = try await body(request) { json throws(APIError) in try LoadAdapterRequest(json) }
        guard state.adapters.allowsPaths else {
            throw APIError(
                status: 400, type: "InvalidUserInput",
                message: "No folder is open for adapters: start the server with --adapter-root or --adapters.")
        }
        guard state.adapters.isAllowed(wanted.path) else {
            // The same answer whether the path exists or not: what lies outside is nobody's business.
            throw APIError(
                status: 404, type: "NotFoundError",
                message: "No adapter \(APIError.quoted(wanted.path)) in the folders that are open for adapters.",
                parameter: "lora_path")
        }
        do {
            return try await state.engine.loadAdapter(wanted.name, path: wanted.path, replacing: wanted.replaces)
        } catch let error as EngineError {
            throw Self.refusal(error)
        }
    }

    private func reload(_ request: Request, _ context: ServerContext) async throws -> AdapterInformation {
        try state.requireAdmin(context)
        let name = try await body(request) { json throws(APIError) in try NamedAdapterRequest(json).name }
        do { return try await state.engine.reloadAdapter(name) } catch let error as EngineError {
            throw Self.refusal(error)
        }
    }

    private func unload(_ name: String) throws(APIError) {
        do throws(EngineError) { try state.engine.unloadAdapter(name) } catch { throw Self.refusal(error) }
    }
}

extension Response {
    static func text(_ text: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
