import Engine
import Hummingbird
import Logging
import NIOCore
import OpenAIProtocol
import ServiceLifecycle

/// The HTTP server: an engine behind OpenAI's and vLLM's endpoints.
///
/// As a `Service` it stops on graceful shutdown: it takes no new connections, gives running requests
/// `shutdownTimeout`, ends the rest with an error event, and returns.
public struct MartletServer: Service {
    private let state: ServerState
    private let onRunning: @Sendable (Int) -> Void

    package init(
        service: any EngineService, configuration: ServerConfiguration, logger: Logger,
        onRunning: @escaping @Sendable (_ port: Int) -> Void = { _ in }
    ) {
        state = ServerState(service, configuration, logger)
        self.onRunning = onRunning
    }

    /// Generation requests in flight.
    package var load: Int { state.load }

    /// Serves until graceful shutdown or cancellation.
    public func run() async throws {
        let application = makeApplication()
        let state = state
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await application.run() }
            group.addTask {
                try await gracefulShutdown()
                await Self.drain(state)
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// Waits for running requests, and longer for their last bytes: on a busy machine a response that has ended takes its
    /// time to be written.
    ///
    /// The application returns by itself when its connections are done; what is still open after this is cut off.
    private static func drain(_ state: ServerState) async {
        state.beginDraining()
        state.logger.info("shutting down", metadata: ["requests": "\(state.load)"])
        await state.engine.drain(within: state.configuration.shutdownTimeout)
        let deadline = ContinuousClock.now + .seconds(10)
        while state.load > 0, ContinuousClock.now < deadline { try? await Task.sleep(for: .milliseconds(50)) }
        try? await Task.sleep(for: .seconds(2))
    }

    private func makeApplication() -> some ApplicationProtocol {
        let configuration = state.configuration
        let onRunning = onRunning
        var quiet = state.logger
        quiet.logLevel = max(quiet.logLevel, .warning)
        return Application(
            router: makeRouter(),
            server: .http1(
                configuration: .init(
                    idleTimeout: TimeAmount(configuration.idleTimeout),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: configuration.maxHeaderBytes,
                        maxHeaderListSize: 8 * configuration.maxHeaderBytes, maxHeaderFieldCount: 256))),
            configuration: .init(address: .hostname(configuration.host, port: configuration.port), backlog: 1024),
            onServerRunning: { channel in onRunning(channel.localAddress?.port ?? configuration.port) },
            logger: quiet)
    }

    private func makeRouter() -> Router<ServerContext> {
        let router = Router(context: ServerContext.self, options: .autoGenerateHeadEndpoints)
        let table = RouteTable()
        router.add(middleware: EnvelopeMiddleware(state: state, table: table))
        router.add(middleware: OriginMiddleware(state.configuration.allowedOrigins))
        let configuration = state.configuration
        if !configuration.apiKeys.isEmpty || !configuration.adminKeys.isEmpty {
            router.add(
                middleware: AuthenticationMiddleware(
                    keys: KeyRing(configuration.apiKeys), adminKeys: KeyRing(configuration.adminKeys)))
        }
        ChatRoutes(state: state).add(to: router, table)
        CompletionRoutes(state: state).add(to: router, table)
        ModelRoutes(state: state).add(to: router, table)
        AdapterRoutes(state: state).add(to: router, table)
        TokenizeRoutes(state: state).add(to: router, table)
        OperationsRoutes(state: state).add(to: router, table)
        return router
    }
}
