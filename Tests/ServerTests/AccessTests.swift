import Checkpoints
import Testing

@testable import Server

@Suite struct AccessTests {
    private static let keys = ["first-key", "second key"]

    @Test func everyRouteButHealthNeedsAKey() async throws {
        try await withServer(ScriptedEngine(), configured { $0.apiKeys = Self.keys }) { server async throws in
            #expect(try await server.get("/health").status == 200)
            for path in ["/v1/models", "/metrics", "/version", "/ping", "/load", "/nothing", "/healthy"] {
                let response = try await server.get(path)
                #expect(response.status == 401, "\(path)")
                #expect(response.errorType == "AuthenticationError")
                #expect(response.headers["www-authenticate"] == "Bearer")
            }
            for path in ["/v1/completions", "/v1/chat/completions", "/tokenize", "/detokenize"] {
                #expect(try await server.post(path, "{}").status == 401, "\(path)")
            }
        }
    }

    @Test(arguments: [
        ("Authorization", "Bearer first-key", 200), ("authorization", "bearer second key", 200),
        ("x-api-key", "first-key", 200), ("Authorization", "Bearer wrong", 401), ("Authorization", "first-key", 401),
        ("Authorization", "Bearer ", 401), ("Authorization", "Basic first-key", 401), ("x-api-key", "first-ke", 401),
        ("x-api-key", "first-key1", 401), ("x-api-key", "", 401),
    ])
    func keys(_ name: String, _ value: String, _ status: Int) async throws {
        try await withServer(ScriptedEngine(), configured { $0.apiKeys = Self.keys }) { server async throws in
            let response = try await server.get("/v1/models", headers: [name: value])
            #expect(response.status == status)
        }
    }

    @Test func originsOfPages() async throws {
        let ask = ["Origin": "https://page.example", "Access-Control-Request-Method": "POST"]
        try await withServer(ScriptedEngine(), configured { $0.apiKeys = Self.keys }) { server async throws in
            let preflight = try await server.get("/v1/chat/completions", method: "OPTIONS", headers: ask)
            #expect(preflight.status == 204)
            #expect(preflight.headers["access-control-allow-origin"] == "*")
            #expect(preflight.headers["access-control-allow-methods"]?.contains("POST") == true)
        }
        try await withServer(ScriptedEngine(), configured { $0.allowedOrigins = ["https://page.example"] }) {
            server async throws in
            let allowed = try await server.get("/v1/models", headers: ["Origin": "https://page.example"])
            #expect(allowed.headers["access-control-allow-origin"] == "https://page.example")
            let other = try await server.get("/v1/models", headers: ["Origin": "https://other.example"])
            #expect(other.headers["access-control-allow-origin"] == nil)
        }
    }

    @Test func requestIdentifiers() async throws {
        try await withServer(ScriptedEngine()) { server async throws in
            #expect(
                try await server.get("/health", headers: ["x-request-id": "given-1"]).headers["x-request-id"]
                    == "given-1")
            let first = try await server.get("/health").headers["x-request-id"]
            let second = try await server.get("/health").headers["x-request-id"]
            #expect(first?.count == 32)
            #expect(first != second)
            let long = String(repeating: "a", count: 1000)
            #expect(
                try await server.get("/health", headers: ["x-request-id": long]).headers["x-request-id"]?.count == 32)
        }
    }
}
