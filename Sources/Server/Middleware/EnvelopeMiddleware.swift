import HTTPTypes
import Hummingbird
import Logging
import OpenAIProtocol

/// The outermost layer: names the request, turns every error into OpenAI's shape, counts and logs.
struct EnvelopeMiddleware: RouterMiddleware {
    typealias Context = ServerContext

    let state: ServerState
    let table: RouteTable

    @concurrent func handle(
        _ request: Request, context: ServerContext, next: @concurrent (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        var context = context
        context.requestID = RequestIdentifier.choose(request.headers[named: "x-request-id"])
        context.logger = state.logger
        context.logger[metadataKey: "request"] = "\(context.requestID)"
        var response: Response
        do {
            response = try await next(request, context)
        } catch let error as APIError {
            response = Self.response(error)
        } catch let error as HTTPError {
            response = missing(request, error)
        } catch is CancellationError {
            // The client is gone; nobody reads this.
            response = Self.response(.unavailable("The request was cancelled.", retryAfter: nil))
        }
        response.headers[named: "x-request-id"] = context.requestID
        finish(request, response, context, start)
        return response
    }

    static func response(_ error: APIError) -> Response {
        var response = Response.json(error.body, status: .init(code: error.status))
        if let seconds = error.retryAfter { response.headers[.retryAfter] = "\(seconds)" }
        if error.status == 401 { response.headers[.wwwAuthenticate] = "Bearer" }
        // A request that ran into its time limit would only do so again.
        if error.status == 408 { response.headers[named: "x-should-retry"] = "false" }
        return response
    }

    private func missing(_ request: Request, _ error: HTTPError) -> Response {
        guard error.status == .notFound else {
            return Self.response(
                APIError(
                    status: error.status.code, type: "BadRequestError", message: error.body ?? error.status.reasonPhrase
                ))
        }
        let path = request.uri.path
        let methods = table.methods(of: path)
        guard !methods.isEmpty else {
            return Self.response(.notFound("There is no endpoint at \(APIError.quoted(path))."))
        }
        let allowed = methods.map(\.rawValue).joined(separator: ", ")
        var response = Self.response(.methodNotAllowed(request.method.rawValue, allowed: allowed))
        response.headers[.allow] = allowed
        return response
    }

    private func finish(
        _ request: Request, _ response: Response, _ context: ServerContext, _ start: ContinuousClock.Instant
    ) {
        let path = context.endpointPath ?? "none"
        state.traffic.count(path: path, method: request.method.rawValue, status: response.status.code)
        guard state.configuration.logsRequests else { return }
        let isRoutine = path == "/health" || path == "/metrics"
        context.logger.log(
            level: isRoutine ? .debug : .info,
            "\(request.method.rawValue) \(APIError.quoted(request.uri.path)) \(response.status.code)",
            metadata: ["seconds": "\((ContinuousClock.now - start) / .seconds(1))"])
    }
}
