import Checkpoints
import Testing

/// A client that goes away ends its request, wherever that stands, and harms nobody else.
@Suite struct DisconnectTests {
    static let held = #"{"prompt":"hold","max_tokens":4}"#
    static let heldStream = #"{"prompt":"hold","max_tokens":4,"stream":true}"#
    static let pacedStream = #"{"prompt":"pace","max_tokens":1000,"stream":true}"#

    @Test(arguments: [held, heldStream], [false, true])
    func whileWaiting(_ body: String, reset: Bool) async throws {
        let engine = ScriptedEngine()
        try await withServer(engine) { server async throws in
            for round in 1...20 {
                let port = server.port
                let client = try await onThread {
                    let client = try RawClient(port: port)
                    try client.sendPost("/v1/completions", body)
                    return Handle(client)
                }
                await engine.wait { running, started, _ in running == 1 && started == round }
                if reset { client.value?.resetOnClose() }
                client.value = nil
                await engine.wait { running, _, aborted in running == 0 && aborted == round }
            }
            #expect(try await server.get("/health").status == 200)
        }
        #expect(engine.counts.running == 0)
    }

    @Test(arguments: [false, true]) func withinAStream(_ reset: Bool) async throws {
        let engine = ScriptedEngine()
        try await withServer(engine) { server async throws in
            for round in 1...20 {
                let port = server.port
                let client = try await onThread {
                    let client = try RawClient(port: port)
                    try client.sendPost("/v1/completions", Self.pacedStream)
                    return Handle(client)
                }
                await engine.wait { _, started, _ in started == round }
                engine.release()
                let event = try await onThread { try client.value?.read(until: "\n\n\r\n") ?? "" }
                #expect(event.contains("text_completion"))
                if reset { client.value?.resetOnClose() }
                client.value = nil
                await engine.wait { running, _, aborted in running == 0 && aborted == round }
            }
            let answer = try await server.post("/v1/completions", #"{"prompt":"x","max_tokens":3}"#)
            #expect(answer.status == 200)
        }
    }

    @Test func halfClosingCountsAsGone() async throws {
        let engine = ScriptedEngine()
        try await withServer(engine) { server async throws in
            let port = server.port
            let client = try await onThread {
                let client = try RawClient(port: port)
                try client.sendPost("/v1/completions", Self.heldStream)
                client.finishSending()
                return Handle(client)
            }
            await engine.wait { running, _, aborted in running == 0 && aborted == 1 }
            client.value = nil
        }
    }

    @Test func allPromptsOfARequestEnd() async throws {
        let engine = ScriptedEngine()
        try await withServer(engine) { server async throws in
            let port = server.port
            let client = try await onThread {
                let client = try RawClient(port: port)
                try client.sendPost("/v1/completions", #"{"prompt":["hold","hold","pace"],"stream":true}"#)
                return Handle(client)
            }
            await engine.wait { running, _, _ in running == 3 }
            client.value = nil
            await engine.wait { running, _, aborted in running == 0 && aborted == 3 }
        }
    }

    /// Half a request, then nothing: at any point of it.
    @Test func halfSentRequests() async throws {
        let engine = ScriptedEngine()
        try await withServer(engine) { server async throws in
            let port = server.port
            let request =
                "POST /v1/completions HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n"
                + "Content-Length: 30\r\n\r\n{\"prompt\":\"x\""
            for length in stride(from: 1, through: request.utf8.count, by: 7) {
                try await onThread {
                    let client = try RawClient(port: port)
                    try client.send(Array(request.utf8.prefix(length)))
                }
            }
            #expect(try await server.post("/v1/completions", #"{"prompt":"x"}"#).status == 200)
            #expect(try await server.get("/load").json == ["server_load": 0])
        }
        #expect(engine.counts.started == 1)
    }
}

/// Lets a client that only one thread uses at a time travel between threads.
final class Handle: @unchecked Sendable {
    var value: RawClient?
    init(_ value: RawClient) { self.value = value }
}
