import Checkpoints
import Engine
import Server
import Testing

/// The whole way, with the demo model: socket, protocol, engine and back.
@Suite(.serialized) struct EndToEndTests {
    /// Prompts and lengths of all kinds, half of them sampled.
    private static func body(_ number: Int, stream: Bool) -> String {
        let words = Array(repeating: "the cat and the lighthouse", count: number % 9 + 1).joined(separator: ", ")
        let sampling = number.isMultiple(of: 2) ? #""temperature":0"# : #""temperature":1,"seed":\#(number)"#
        return
            #"{"prompt":"\#(number): \#(words)","max_tokens":\#(1 + number * 7 % 40),\#(sampling),"stream":\#(stream)}"#
    }

    private func engine(_ change: (inout EngineConfiguration) -> Void = { _ in }) async throws -> InferenceEngine {
        var configuration = EngineConfiguration()
        configuration.cacheMemory = 64 << 20
        change(&configuration)
        return try await InferenceEngine.load(configuration)
    }

    @Test(arguments: [2048, 16])
    func sixtyFourAtOnceAreEachWhatTheyAreAlone(_ budget: Int) async throws {
        let engine = try await engine { $0.maxBatchedTokens = budget }
        try await withServer(engine) { server async throws in
            var alone: [String] = []
            for number in 0..<64 {
                let whole = try await server.post("/v1/completions", Self.body(number, stream: false))
                alone.append(try #require(whole.json["choices"]?.array?.first?["text"]?.string, "\(whole.text)"))
            }
            let port = server.port
            let together = try await withThrowingTaskGroup(of: (Int, String?).self) { group in
                for number in 0..<96 {
                    group.addTask {
                        // Every third of the 96 goes away in the middle.
                        guard number < 64 else {
                            try await abandon(Self.body(number, stream: true), port: port, after: number % 5)
                            return (number, nil)
                        }
                        let response = try await server.post("/v1/completions", Self.body(number, stream: true))
                        return (number, try response.texts.joined())
                    }
                }
                var result = [String?](repeating: nil, count: 96)
                for try await (number, text) in group { result[number] = text }
                return Array(result.prefix(64))
            }
            for number in 0..<64 { #expect(together[number] == alone[number], "request \(number), budget \(budget)") }
            await expectIdle(engine)
        }
        engine.shutdown()
    }

    @Test func chatOfTheDemo() async throws {
        let engine = try await engine()
        try await withServer(engine) { server async throws in
            let fields =
                #""messages":[{"role":"user","content":"Who are you?"}],"temperature":0,"max_tokens":20,"logprobs":true"#
            let whole = try await server.post("/v1/chat/completions", "{\(fields)}").json
            let choice = try #require(whole["choices"]?.array?.first)
            let text = try #require(choice["message"]?["content"]?.string)
            #expect(!text.isEmpty)
            #expect(choice["logprobs"]?["content"]?.array?.count == whole["usage"]?["completion_tokens"]?.int)
            let stream = try await server.post("/v1/chat/completions", "{\(fields),\"stream\":true}").chunks
            let streamed = stream.compactMap { $0["choices"]?.array?.first?["delta"]?["content"]?.string }.joined()
            #expect(streamed == text)
            let again = try await server.post("/v1/chat/completions", "{\(fields)}").json
            #expect(again["choices"]?.array?.first?["logprobs"] == choice["logprobs"])
        }
        engine.shutdown()
    }

    @Test func pastTheQueueLimit() async throws {
        let engine = try await engine { configuration in
            configuration.maxSequences = 1
            configuration.maxQueuedRequests = 1
        }
        try await withServer(engine) { server async throws in
            let body = #"{"prompt":["a","b","c","d","e","f"],"max_tokens":30,"ignore_eos":true}"#
            let refused = try await server.post("/v1/completions", body)
            #expect(refused.status == 503)
            #expect(refused.headers["retry-after"] != nil)
            await expectIdle(engine)
            #expect(try await server.post("/v1/completions", #"{"prompt":"a"}"#).status == 200)
        }
        engine.shutdown()
    }

    @Test func metricsCountWhatHappened() async throws {
        let engine = try await engine()
        try await withServer(engine) { server async throws in
            let reply = try await server.post(
                "/v1/completions", #"{"prompt":"a b c","max_tokens":5,"ignore_eos":true}"#)
            let prompt = try #require(try reply.json["usage"]?["prompt_tokens"]?.int)
            await expectIdle(engine)
            let text = try await server.get("/metrics").text
            func value(_ name: String) -> Double? {
                text.split(separator: "\n").first { $0.hasPrefix(name + "{") }?.split(separator: " ").last.flatMap {
                    Double($0)
                }
            }
            #expect(value("vllm:prompt_tokens_total") == Double(prompt))
            #expect(value("vllm:generation_tokens_total") == 5)
            #expect(value("vllm:time_to_first_token_seconds_count") == 1)
            #expect(value("vllm:e2e_request_latency_seconds_count") == 1)
            #expect(value("vllm:kv_cache_usage_perc") == 0)
        }
        engine.shutdown()
    }

    /// Waits until nothing runs, then nothing may be held and the engine's books must agree.
    ///
    /// The audit goes the way of all messages, so it comes after what was posted before it.
    private func expectIdle(_ engine: InferenceEngine) async {
        while true {
            #expect(await engine.audit() == nil)
            let statistics = engine.statistics()
            if statistics.requestsRunning == 0, statistics.requestsWaiting == 0 { break }
            await Task.yield()
        }
        #expect(engine.statistics().cacheUsage == 0)
    }
}

/// Starts a stream, reads `count` events of it and hangs up.
private func abandon(_ body: String, port: Int, after count: Int) async throws {
    try await onThread {
        let client = try RawClient(port: port)
        try client.sendPost("/v1/completions", body)
        for _ in 0..<count where (try? client.read(until: "\n\n\r\n")) == nil { return }
        client.resetOnClose()
    }
}
