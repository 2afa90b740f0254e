import ArgumentParser
import Checkpoints
import DemoModel
import Engine
import Logging
import NIOHTTP1
import Server
import ServiceLifecycle
import Testing

@testable import MartletCommand

@Suite("Adapters of a running server")
struct RemoteAdapterTests {
    @Test(arguments: [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"), ("localhost:9", "http://localhost:9"),
        ("HTTP://host", "http://host"), ("http://h:80/", "http://h"),
        ("http://[::1]:8000/a/b/", "http://[::1]:8000/a/b"),
    ])
    func addresses(text: String, expected: String) throws { #expect("\(try ServerAddress(text))" == expected) }

    @Test(arguments: [
        "", "http://", "https://h", "http://h:0", "http://h:99999", "http://h:x", "::1", "http://a b", "http://u@h",
        "http://h/a b",
    ])
    func whatIsNoAddress(text: String) { #expect(throws: CommandError.self) { try ServerAddress(text) } }

    @Test func pathsAreEscaped() {
        #expect(ServerAddress.escaped("a/b c?#ü%") == "a%2Fb%20c%3F%23%C3%BC%25")
    }

    @Test func statusesBecomeReasons() throws {
        let address = try ServerAddress("h")
        func failure(_ status: Int, _ type: String?, _ parameter: String? = nil) -> ServerFailure {
            let parameter = parameter.map(JSONValue.string) ?? .null
            let body: JSONValue? = type.map { ["error": ["message": "m", "type": .string($0), "param": parameter]] }
            return ServerFailure(status: status, body: body, address: address)
        }
        #expect(failure(401, "AuthenticationError").kind == .forbidden)
        #expect(failure(401, "AuthenticationError").description.contains("MARTLET_ADMIN_KEY"))
        #expect(failure(403, "PermissionDeniedError").kind == .forbidden)
        #expect(failure(404, "NotFoundError", "lora_name") == ServerFailure(.unknown, "m"))
        #expect(failure(404, "NotFoundError").kind == .unreachable)
        #expect(failure(404, nil).kind == .unreachable)
        #expect(failure(400, "InvalidUserInput") == ServerFailure(.refused, "m"))
        #expect(failure(502, nil) == ServerFailure(.refused, "http://h answered with status 502."))
    }

    @Test func aTableForPeople() throws {
        let known: JSONValue = [
            "id": "sql", "kind": "lora", "rank": 8, "bytes": 2048, "residency": "memory", "pinned": true,
            "load_seconds": 0.25, "digest": "0123456789abcdef", "uses": ["requests": 12, "running": 1, "waiting": 2],
        ]
        let unknown: JSONValue = ["id": "a\u{1B}[2J", "kind": .null, "rank": .null, "residency": "disk"]
        let plain = Terminal(descriptor: 1, isInteractive: false, noColour: nil, kind: nil)
        #expect(
            AdapterTable([known, unknown]).text(plain) == """
                NAME   KIND  RANK     SIZE  STATE           REQUESTS  IN FLIGHT     LOAD  DIGEST
                sql    lora     8  2.0 KiB  memory, pinned        12          3  0.250 s  0123456789ab
                a?[2J  ?        -        ?  disk                   0          0        -  -

                """)
        #expect(AdapterTable([]).text(plain) == "There are no adapters.\n")
        #expect(AdapterTable.details(known, plain).contains("  in flight   3\n"))
    }

    @Test(arguments: [
        ["list", "--json"], ["load", "a", "/p", "--replace"], ["unload", "a"], ["pin", "a"], ["unpin", "a"],
        ["reload", "a"], ["inspect", "a", "--url", "http://h"],
    ])
    func usage(arguments: [String]) throws {
        _ = try RootCommand.parseAsRoot(["adapters"] + arguments)
        #expect(throws: (any Error).self) { try RootCommand.parseAsRoot(["adapters"] + arguments + ["--fly"]) }
    }

    /// Against a server with the demo model.
    @Test func theWholeWay() async throws {
        var configuration = ServerConfiguration()
        configuration.host = "127.0.0.1"
        configuration.port = 0
        configuration.apiKeys = ["key"]
        configuration.adminKeys = ["admin"]
        configuration.logsRequests = false
        configuration.adapterRoots = [try DemoModelFolder.locate().adapters]
        var engineConfiguration = EngineConfiguration()
        engineConfiguration.cacheMemory = 32 << 20
        let engine = try await InferenceEngine.load(engineConfiguration)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let (ports, portFound) = AsyncStream<Int>.makeStream()
        let server = MartletServer(engine: engine, configuration: configuration, logger: logger) { portFound.yield($0) }
        let group = ServiceGroup(configuration: .init(services: [server], logger: logger))
        async let running: Void = group.run()
        var iterator = ports.makeAsyncIterator()
        let port = try #require(await iterator.next())
        let result = await Result { () async throws in try await exchange(port: port) }
        await group.triggerGracefulShutdown()
        try await running
        engine.shutdown()
        try result.get()
        let address = try ServerAddress("127.0.0.1:\(port)")
        let gone = await #expect(throws: ServerFailure.self) {
            try await ServerClient(address: address, key: nil).send(.GET, "/v1/adapters")
        }
        #expect(gone?.kind == .unreachable)
    }

    private func exchange(port: Int) async throws {
        let address = try ServerAddress("127.0.0.1:\(port)")
        let admin = ServerClient(address: address, key: "admin")
        let folder = try DemoModelFolder.locate().adapters + "/sql"
        let loaded = try await admin.send(.POST, "/v1/adapters", ["name": "a/b", "path": .string(folder)])
        #expect(loaded?["kind"] == "lora")
        let pinned = try await admin.send(.POST, "/v1/adapters/pin", ["name": "a/b"])
        #expect(pinned?["data"]?.array?.first?["pinned"] == true)
        let path = "/v1/adapters/" + ServerAddress.escaped("a/b")
        #expect(try await admin.send(.GET, path)?["id"] == "a/b")
        #expect(try await admin.send(.POST, "/v1/adapters/reload", ["name": "a/b"])?["loads"] == 2)
        for (key, kind) in [(String?.none, ServerFailure.Kind.forbidden), ("key", .forbidden), ("admin", .refused)] {
            let client = ServerClient(address: address, key: key)
            let failure = await #expect(throws: ServerFailure.self) {
                try await client.send(.POST, "/v1/adapters", ["name": "a/b", "path": .string(folder)])
            }
            #expect(failure?.kind == kind, "\(failure?.description ?? "")")
        }
        // The commands themselves; what they write is for the eyes.
        let flags = ["--url", "\(address)", "--api-key", "admin"]
        let unpin = try #require(
            try RootCommand.parseAsRoot(["adapters", "unpin", "a/b"] + flags) as? UnpinAdapterCommand)
        try await unpin.run()
        #expect(try await admin.send(.GET, path)?["pinned"] == false)
        let inspect = try #require(
            try RootCommand.parseAsRoot(["adapters", "inspect", "none"] + flags) as? InspectAdapterCommand)
        let status = await #expect(throws: ExitCode.self) { try await inspect.run() }
        #expect(status == ExitCode(4))
        #expect(try await admin.send(.DELETE, path) == nil)
        let missing = await #expect(throws: ServerFailure.self) { try await admin.send(.DELETE, path) }
        #expect(missing?.kind == .unknown)
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
