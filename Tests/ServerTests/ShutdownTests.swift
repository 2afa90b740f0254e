import Checkpoints
import Server
import Testing

@Suite struct ShutdownTests {
    @Test func runningStreamsFinish() async throws {
        let engine = ScriptedEngine()
        try await withServer(engine, configured { $0.shutdownTimeout = .seconds(60) }) { server async throws in
            let port = server.port
            let client = try await onThread {
                let client = try RawClient(port: port)
                try client.sendPost("/v1/completions", #"{"prompt":"pace","max_tokens":3,"stream":true}"#)
                return Handle(client)
            }
            await engine.wait { _, started, _ in started == 1 }
            engine.release()
            _ = try await onThread { try client.value?.read(until: "\n\n\r\n") }
            await server.stop()
            await engine.waitUntilDraining()
            engine.release()
            engine.release()
            let rest = try await onThread { String(decoding: client.value?.readToEnd() ?? [], as: UTF8.self) }
            #expect(rest.contains(#""finish_reason":"length""#))
            #expect(rest.contains("data: [DONE]"))
        }
        #expect(engine.counts.aborted == 0)
    }

    @Test func whatOutlivesTheDeadlineEndsWithAnError() async throws {
        let engine = ScriptedEngine()
        try await withServer(engine, configured { $0.shutdownTimeout = .milliseconds(50) }) { server async throws in
            let port = server.port
            let clients = try await onThread {
                try [DisconnectTests.heldStream, DisconnectTests.held].map { body in
                    let client = try RawClient(port: port)
                    try client.sendPost("/v1/completions", body)
                    return Handle(client)
                }
            }
            await engine.wait { running, _, _ in running == 2 }
            await server.stop()
            let stream = try await onThread { try clients[0].value?.readResponse() ?? RawResponse() }
            #expect(stream.events.first?.contains("shutting down") == true)
            #expect(stream.events.last == "[DONE]")
            let whole = try await onThread { try clients[1].value?.readResponse() ?? RawResponse() }
            #expect(whole.status == 503)
        }
    }

    @Test func idleAndHalfSentConnectionsDoNotHoldUpTheEnd() async throws {
        try await withServer(ScriptedEngine()) { server async throws in
            let port = server.port
            let clients = try await onThread {
                try [
                    "", "GET /hea",
                    "POST /tokenize HTTP/1.1\r\nContent-Length: 100\r\nContent-Type: application/json\r\n\r\n{",
                ]
                .map { text in
                    let client = try RawClient(port: port)
                    try client.send(text)
                    return Handle(client)
                }
            }
            #expect(try await server.get("/health").status == 200)
            await server.stop()
            for client in clients { _ = try await onThread { client.value?.readToEnd() } }
        }
    }
}
