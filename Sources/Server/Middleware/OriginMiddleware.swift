import HTTPTypes
import Hummingbird

/// Tells browsers which pages may use the server (CORS), and answers their preflight requests.
struct OriginMiddleware: RouterMiddleware {
    typealias Context = ServerContext

    private let allowsAll: Bool
    private let allowed: Set<String>

    init(_ origins: [String]) {
        allowsAll = origins.contains("*")
        allowed = Set(origins)
    }

    @concurrent func handle(
        _ request: Request, context: ServerContext, next: @concurrent (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        guard let origin = request.headers[.origin] else { return try await next(request, context) }
        guard allowsAll || allowed.contains(origin) else { return try await next(request, context) }
        var response: Response
        if request.method == .options, request.headers[.accessControlRequestMethod] != nil {
            response = preflight(request)
        } else {
            response = try await next(request, context)
        }
        response.headers[.accessControlAllowOrigin] = allowsAll ? "*" : origin
        response.headers[.accessControlExposeHeaders] = "x-request-id, retry-after"
        if !allowsAll { response.headers[.vary] = "Origin" }
        return response
    }

    private func preflight(_ request: Request) -> Response {
        Response(
            status: .noContent,
            headers: [
                .accessControlAllowMethods: "GET, POST, OPTIONS", .accessControlMaxAge: "600",
                .accessControlAllowHeaders: request.headers[.accessControlRequestHeaders] ?? "*",
            ])
    }
}
