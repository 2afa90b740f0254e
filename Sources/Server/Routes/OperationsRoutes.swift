import Hummingbird
import NIOCore
import OpenAIProtocol

/// `/health`, `/ping`, `/load`, `/version`, `/metrics` and `/reset_prefix_cache`.
struct OperationsRoutes: Sendable {
    let state: ServerState

    func add(to router: Router<ServerContext>, _ table: RouteTable) {
        table.add(.get, "/health", to: router, health)
        table.add(.get, "/ping", to: router, health)
        table.add(.post, "/ping", to: router, health)
        table.add(.get, "/load", to: router) { _, _ in .json(Array(#"{"server_load":\#(state.load)}"#.utf8)) }
        table.add(.get, "/version", to: router) { _, _ in
            .json(Array(#"{"version":"\#(ServerVersion.current)"}"#.utf8))
        }
        table.add(.get, "/metrics", to: router, metrics)
        table.add(.post, "/reset_prefix_cache", to: router) { _, context in
            try state.requireAdmin(context)
            await state.engine.resetPrefixCache()
            return Response(status: .ok)
        }
    }

    private func health(_ request: Request, _ context: ServerContext) -> Response {
        Response(status: state.engine.isHealthy && !state.isDraining ? .ok : .serviceUnavailable)
    }

    private func metrics(_ request: Request, _ context: ServerContext) -> Response {
        let text = MetricsText.render(
            state.engine.statistics(), model: state.engine.model, adapters: state.engine.loadedAdapters,
            traffic: state.traffic.snapshot,
            process: ProcessStatistics.current())
        return Response(
            status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: text)))
    }
}

package enum ServerVersion {
    package static let current = "0.1.0"
}
