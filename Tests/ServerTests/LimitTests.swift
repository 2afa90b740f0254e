import Checkpoints
import Server
import Testing

@Suite struct LimitTests {
    @Test func largeBodies() async throws {
        try await withServer(ScriptedEngine(), configured { $0.maxBodyBytes = 1000 }) { server async throws in
            let large = #"{"prompt":"\#(String(repeating: "x", count: 2000))"}"#
            let refused = try await server.post("/v1/completions", large)
            #expect(refused.status == 413)
            #expect(refused.errorType == "PayloadTooLargeError")
            let port = server.port
            let chunked = try await onThread {
                let client = try RawClient(port: port)
                try client.send(
                    "POST /v1/completions HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n"
                        + "Transfer-Encoding: chunked\r\n\r\n")
                for _ in 0..<4 { try client.send("200\r\n" + String(repeating: "x", count: 512) + "\r\n") }
                try client.send("0\r\n\r\n")
                return try client.readResponse()
            }
            #expect(chunked.status == 413)
            #expect(try await server.post("/v1/completions", #"{"prompt":"x"}"#).status == 200)
        }
    }

    @Test func bodyInChunksOfOneByte() async throws {
        try await withServer(ScriptedEngine(maxModelLength: 100_000)) { server async throws in
            let port = server.port
            let text = String(repeating: "y", count: 50_000)
            let response = try await onThread {
                let client = try RawClient(port: port)
                try client.send(
                    "POST /tokenize HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n"
                        + "Transfer-Encoding: chunked\r\n\r\n")
                let body = #"{"prompt":"\#(text)"}"#
                try client.send(body.utf8.flatMap { Array("1\r\n".utf8) + [$0] + Array("\r\n".utf8) })
                try client.send("0\r\n\r\n")
                return try client.readResponse()
            }
            #expect(try response.json["count"] == 50_001)
        }
    }

    @Test(arguments: [
        ("Content-Encoding", "gzip", 415), ("Content-Type", "text/plain", 415), ("Content-Type", "", 415),
        ("Content-Type", "application/json; charset=utf-8", 200), ("Content-Type", "Application/JSON", 200),
        ("Content-Encoding", "identity", 200),
    ])
    func media(_ name: String, _ value: String, _ status: Int) async throws {
        try await withServer(ScriptedEngine()) { server async throws in
            let response = try await server.post("/v1/completions", #"{"prompt":"x"}"#, headers: [name: value])
            #expect(response.status == status)
            if status != 200 { #expect(response.errorType == "UnsupportedMediaTypeError") }
        }
    }

    @Test(arguments: [
        "", "{", "nope", "{\"prompt\":\"\u{01}\"}", #"{"prompt":"x","temperature":NaN}"#, "[]", "\u{FEFF}",
    ])
    func brokenBodies(_ body: String) async throws {
        try await withServer(ScriptedEngine()) { server async throws in
            let response = try await server.post("/v1/completions", body)
            #expect(response.status == 400)
            #expect(response.errorType == "BadRequestError")
        }
    }

    @Test func deepBodies() async throws {
        try await withServer(ScriptedEngine()) { server async throws in
            let deep = String(repeating: "[", count: 1_000_000)
            let response = try await server.post("/v1/completions", #"{"prompt":"# + deep)
            #expect(response.status == 400)
            #expect(response.errorMessage.contains("levels deep"))
        }
    }

    @Test func hugeHeaders() async throws {
        try await withServer(ScriptedEngine()) { server async throws in
            let port = server.port
            for head in [
                "GET /health HTTP/1.1\r\nX-Big: \(String(repeating: "a", count: 1 << 20))\r\n\r\n",
                "GET /health HTTP/1.1\r\n" + String(repeating: "X-Many: a\r\n", count: 100_000) + "\r\n",
                "GET /\(String(repeating: "a", count: 1 << 20)) HTTP/1.1\r\n\r\n",
            ] {
                let answer = try await onThread {
                    let client = try RawClient(port: port)
                    // The server may hang up while this is being sent.
                    try? client.send(head)
                    return client.readToEnd()
                }
                #expect(answer.count < 10_000)
                #expect(!String(decoding: answer, as: UTF8.self).hasPrefix("HTTP/1.1 200"))
            }
            #expect(try await server.get("/health").status == 200)
        }
    }

    @Test(arguments: [
        "\r\n\r\n", "GET\r\n\r\n", "\u{00}\u{01}\u{02}\r\n\r\n", "GET /health HTTP/9.9\r\n\r\n", "POST /v1/completions",
    ])
    func notHTTP(_ text: String) async throws {
        try await withServer(ScriptedEngine()) { server async throws in
            let port = server.port
            try await onThread {
                let client = try RawClient(port: port)
                try client.send(text)
                client.finishSending()
                _ = client.readToEnd()
            }
            #expect(try await server.get("/health").status == 200)
        }
    }

    @Test func fullQueue() async throws {
        let engine = ScriptedEngine(queueLimit: 2)
        try await withServer(engine) { server async throws in
            let port = server.port
            let client = try await onThread {
                let client = try RawClient(port: port)
                try client.sendPost("/v1/completions", DisconnectTests.heldStream)
                return Handle(client)
            }
            await engine.wait { running, _, _ in running == 1 }
            let response = try await server.post("/v1/completions", #"{"prompt":["hold","hold","hold"],"stream":true}"#)
            #expect(response.status == 503)
            #expect(response.headers["retry-after"] == "1")
            #expect(response.errorType == "ServiceUnavailableError")
            // The prompts that had been taken before the refusal are given up.
            await engine.wait { running, _, _ in running == 1 }
            client.value = nil
            await engine.wait { running, _, _ in running == 0 }
        }
    }

    @Test func timeLimit() async throws {
        let engine = ScriptedEngine()
        try await withServer(engine, configured { $0.requestTimeout = .milliseconds(50) }) { server async throws in
            let whole = try await server.post("/v1/completions", DisconnectTests.held)
            #expect(whole.status == 408)
            #expect(whole.errorType == "RequestTimeoutError")
            let stream = try await server.post("/v1/completions", DisconnectTests.heldStream)
            #expect(stream.status == 200)
            #expect(stream.events.count == 2)
            #expect(stream.events[0].contains("RequestTimeoutError"))
            #expect(stream.events[1] == "[DONE]")
            await engine.wait { running, _, _ in running == 0 }
        }
    }

    @Test func failureOfTheEngine() async throws {
        try await withServer(ScriptedEngine()) { server async throws in
            let whole = try await server.post("/v1/completions", #"{"prompt":"fail"}"#)
            #expect(whole.status == 500)
            #expect(whole.errorType == "InternalServerError")
            let stream = try await server.post("/v1/completions", #"{"prompt":"fail","stream":true}"#)
            #expect(stream.events.count == 4)
            #expect(stream.events[2].contains("the script says so"))
            #expect(stream.events[3] == "[DONE]")
        }
    }

    /// A reader that stalls must neither lose tokens nor hold anybody up.
    @Test func slowReader() async throws {
        try await withServer(ScriptedEngine(maxModelLength: 20_000)) { server async throws in
            let port = server.port
            let body = #"{"prompt":"x","max_tokens":15000,"stream":true,"seed":3}"#
            let slow = try await onThread {
                let client = try RawClient(port: port, receiveBuffer: 4096)
                try client.sendPost("/v1/completions", body)
                return Handle(client)
            }
            let others = try await server.post("/v1/completions", #"{"prompt":"y","max_tokens":5}"#)
            #expect(others.status == 200)
            let response = try await onThread { try slow.value?.readResponse() ?? RawResponse() }
            let text = try response.chunks.compactMap { $0["choices"]?.array?.first?["text"]?.string }.joined()
            let whole = try await server.post(
                "/v1/completions", #"{"prompt":"x","max_tokens":15000,"seed":3}"#
            ).json
            #expect(text == whole["choices"]?.array?[0]["text"]?.string)
        }
    }

    @Test func manyAtOnceAreEachWhatTheyAreAlone() async throws {
        try await withServer(ScriptedEngine()) { server async throws in
            let bodies = (0..<64).map { #"{"prompt":"p\#($0)","max_tokens":\#($0 + 1),"stream":true}"# }
            var alone: [[String]] = []
            for body in bodies { alone.append(try await server.post("/v1/completions", body).texts) }
            let together = try await withThrowingTaskGroup(of: (Int, [String]).self) { group in
                for (position, body) in bodies.enumerated() {
                    group.addTask { (position, try await server.post("/v1/completions", body).texts) }
                }
                var result = [[String]](repeating: [], count: bodies.count)
                for try await (position, texts) in group { result[position] = texts }
                return result
            }
            #expect(together == alone)
        }
    }
}

extension RawResponse {
    /// The texts of a streamed completion, piece by piece.
    var texts: [String] {
        get throws { try chunks.compactMap { $0["choices"]?.array?.first?["text"]?.string } }
    }
}
