import Logging
import Server
import ServiceLifecycle

/// A server that runs for the length of a test.
struct RunningServer: Sendable {
    let port: Int
    let server: MartletServer
    private let group: ServiceGroup

    init(port: Int, server: MartletServer, group: ServiceGroup) {
        self.port = port
        self.server = server
        self.group = group
    }

    func stop() async { await group.triggerGracefulShutdown() }

    func get(_ path: String, method: String = "GET", headers: [String: String] = [:]) async throws -> RawResponse {
        let port = port
        return try await onThread {
            let client = try RawClient(port: port)
            let lines = headers.map { "\($0.key): \($0.value)\r\n" }.joined()
            try client.send("\(method) \(path) HTTP/1.1\r\nHost: test\r\n\(lines)\r\n")
            return try client.readResponse(hasBody: method != "HEAD")
        }
    }

    func post(_ path: String, _ body: String, headers: [String: String] = [:]) async throws -> RawResponse {
        let port = port
        return try await onThread {
            let client = try RawClient(port: port)
            try client.sendPost(path, body, headers: headers)
            return try client.readResponse()
        }
    }
}

/// A configuration for tests, changed by `change`.
func configured(_ change: (inout ServerConfiguration) -> Void) -> ServerConfiguration {
    var configuration = ServerConfiguration()
    configuration.host = "127.0.0.1"
    configuration.port = 0
    configuration.logsRequests = false
    configuration.shutdownTimeout = .milliseconds(200)
    change(&configuration)
    return configuration
}

/// Runs `body` against a server on a free port, stops the server and waits for its end.
func withServer(
    _ engine: any EngineService, _ configuration: ServerConfiguration = configured { _ in },
    _ body: (RunningServer) async throws -> Void
) async throws {
    let (ports, portFound) = AsyncStream<Int>.makeStream()
    var logger = Logger(label: "test")
    logger.logLevel = .error
    let server = MartletServer(service: engine, configuration: configuration, logger: logger) { portFound.yield($0) }
    let group = ServiceGroup(configuration: .init(services: [server], logger: logger))
    async let running: Void = group.run()
    var iterator = ports.makeAsyncIterator()
    guard let port = await iterator.next() else { return }
    do {
        try await body(RunningServer(port: port, server: server, group: group))
    } catch {
        await group.triggerGracefulShutdown()
        throw error
    }
    await group.triggerGracefulShutdown()
    try await running
}
