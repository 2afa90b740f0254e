import HTTPTypes
import Hummingbird
import OpenAIProtocol

/// Asks for a key on every path but `/health`, also on paths that do not exist.
struct AuthenticationMiddleware: RouterMiddleware {
    typealias Context = ServerContext

    let keys: KeyRing
    /// Keys that may also change what others use.
    let adminKeys: KeyRing

    @concurrent func handle(
        _ request: Request, context: ServerContext, next: @concurrent (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        guard request.uri.path != "/health" else { return try await next(request, context) }
        var context = context
        let candidates = Self.candidates(request.headers)
        context.isAdmin = candidates.contains { adminKeys.index(of: $0) != nil }
        if let key = candidates.compactMap(keys.index).first {
            context.tenant = "key-\(key + 1)"
        } else if !context.isAdmin, !keys.isEmpty {
            throw APIError.unauthorized()
        }
        return try await next(request, context)
    }

    private static func candidates(_ headers: HTTPFields) -> [String] {
        var result: [String] = []
        if let value = headers[.authorization] {
            let parts = value.split(separator: " ", maxSplits: 1)
            if parts.count == 2, parts[0].lowercased() == "bearer" { result.append(String(parts[1])) }
        }
        if let value = headers[named: "x-api-key"] { result.append(value) }
        return result
    }
}
