import HTTPTypes
import Hummingbird
import Synchronization

/// The router with a record of its paths, so that a wrong method can be told from a wrong path.
final class RouteTable: Sendable {
    typealias Handler = @Sendable (Request, ServerContext) async throws -> Response

    private let methods = Mutex<[String: [HTTPRequest.Method]]>([:])

    func add(
        _ method: HTTPRequest.Method, _ path: String, to router: Router<ServerContext>, _ handler: @escaping Handler
    ) {
        methods.withLock { $0[path, default: []].append(method) }
        router.on(RouterPath(path), method: method) { request, context in try await handler(request, context) }
    }

    /// Methods that the path of a request has; empty when there is no such path.
    func methods(of path: String) -> [HTTPRequest.Method] {
        let path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        return methods.withLock { table in
            if let exact = table[path] { return exact }
            let catchAll = table.first { key, _ in key.hasSuffix("/**") && path.hasPrefix(key.dropLast(2)) }
            return catchAll?.value ?? []
        }
    }
}
