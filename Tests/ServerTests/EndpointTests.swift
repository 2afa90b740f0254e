import Checkpoints
import Engine
import Testing

@testable import Server

@Suite struct EndpointTests {
    @Test func operations() async throws {
        try await withServer(ScriptedEngine()) { server async throws in
            #expect(try await server.get("/health").status == 200)
            #expect(try await server.get("/health").body.isEmpty)
            #expect(try await server.get("/health", method: "HEAD").status == 200)
            #expect(try await server.get("/ping").status == 200)
            #expect(try await server.get("/version").json["version"]?.string != nil)
            #expect(try await server.get("/load").json == ["server_load": 0])
        }
    }

    @Test func models() async throws {
        try await withServer(ScriptedEngine()) { server async throws in
            let list = try await server.get("/v1/models").json
            #expect(list["object"] == "list")
            #expect(list["data"]?.array?.map { $0["id"] } == ["scripted", "org/alias"])
            let card = try await server.get("/v1/models/org/alias").json
            #expect(card["id"] == "org/alias")
            #expect(card["object"] == "model")
            #expect(card["max_model_len"] == 4096)
            #expect(try await server.get("/v1/models/org%2Falias").json["id"] == "org/alias")
            let missing = try await server.get("/v1/models/other")
            #expect(missing.status == 404)
            #expect(missing.errorType == "NotFoundError")
        }
    }

    @Test func chat() async throws {
        try await withServer(ScriptedEngine()) { server async throws in
            let body = #"{"model":"scripted","messages":[{"role":"user","content":"hi"}],"max_tokens":5,"n":2}"#
            let response = try await server.post("/v1/chat/completions", body, headers: ["x-request-id": "abc"])
            #expect(response.status == 200)
            #expect(response.headers["x-request-id"] == "abc")
            let json = try response.json
            #expect(json["id"] == "chatcmpl-abc")
            #expect(json["object"] == "chat.completion")
            #expect(json["choices"]?.array?.count == 2)
            let choice = json["choices"]?.array?.first
            #expect(choice?["message"]?["role"] == "assistant")
            #expect(choice?["message"]?["content"]?.string?.count == 5)
            #expect(choice?["finish_reason"] == "length")
            #expect(
                json["usage"] == [
                    "prompt_tokens": 2, "total_tokens": 12, "completion_tokens": 10,
                    "prompt_tokens_details": ["cached_tokens": 1],
                ])
        }
    }

    @Test func chatStreamSaysTheSameAsTheWhole() async throws {
        try await withServer(ScriptedEngine()) { server async throws in
            let fields = #""messages":[{"role":"user","content":"hello"}],"max_tokens":7,"n":2,"seed":-5"#
            let whole = try await server.post("/v1/chat/completions", "{\(fields)}").json
            let stream = try await server.post(
                "/v1/chat/completions", "{\(fields),\"stream\":true,\"stream_options\":{\"include_usage\":true}}")
            #expect(stream.headers["content-type"] == "text/event-stream; charset=utf-8")
            #expect(stream.events.last == "[DONE]")
            let chunks = try stream.chunks
            #expect(chunks[0]["choices"]?.array?[0]["delta"]?["role"] == "assistant")
            #expect(chunks.last?["choices"] == [])
            #expect(chunks.last?["usage"] == whole["usage"])
            for index in 0..<2 {
                let text = chunks.flatMap { $0["choices"]?.array ?? [] }.filter { $0["index"]?.int == index }
                    .compactMap { $0["delta"]?["content"]?.string }.joined()
                #expect(text == whole["choices"]?.array?[index]["message"]?["content"]?.string)
            }
            #expect(chunks.dropLast().allSatisfy { $0["usage"] == nil })
        }
    }

    @Test func completionsOfSeveralPrompts() async throws {
        try await withServer(ScriptedEngine()) { server async throws in
            let fields = #""prompt":["one","two","three"],"max_tokens":4,"n":2"#
            let whole = try await server.post("/v1/completions", "{\(fields)}").json
            #expect(whole["choices"]?.array?.count == 6)
            #expect(whole["choices"]?.array?.compactMap { $0["index"]?.int } == Array(0..<6))
            let stream = try await server.post("/v1/completions", "{\(fields),\"stream\":true}")
            let choices = try stream.chunks.flatMap { $0["choices"]?.array ?? [] }
            for index in 0..<6 {
                let text = choices.filter { $0["index"]?.int == index }.compactMap { $0["text"]?.string }.joined()
                #expect(text == whole["choices"]?.array?[index]["text"]?.string)
            }
        }
    }

    @Test func tokenizeAndBack() async throws {
        try await withServer(ScriptedEngine()) { server async throws in
            let tokens = try await server.post("/tokenize", #"{"prompt":"ab","return_token_strs":true}"#).json
            #expect(
                tokens == [
                    "count": 3, "max_model_len": 4096, "tokens": [256, 97, 98], "token_strs": ["<s>", "<97>", "<98>"],
                ])
            let chat = try await server.post("/tokenize", #"{"messages":[{"role":"user","content":"ab"}]}"#).json
            #expect(chat["tokens"] == [97, 98])
            #expect(try await server.post("/detokenize", #"{"tokens":[97,98]}"#).json == ["prompt": "ab"])
            #expect(try await server.post("/detokenize", #"{"tokens":[258]}"#).status == 400)
            #expect(try await server.post("/tokenize", "{}").status == 400)
        }
    }

    @Test func wrongPathsAndMethods() async throws {
        try await withServer(ScriptedEngine()) { server async throws in
            let missing = try await server.get("/v2/nothing")
            #expect(missing.status == 404)
            #expect(missing.errorType == "NotFoundError")
            let wrong = try await server.get("/v1/chat/completions")
            #expect(wrong.status == 405)
            #expect(wrong.headers["allow"] == "POST")
            #expect(wrong.errorType == "MethodNotAllowedError")
            #expect(try await server.post("/v1/models/x", "{}").status == 405)
            #expect(try await server.get("/health", method: "DELETE").status == 405)
        }
    }

    @Test func errorsNameTheField() async throws {
        try await withServer(ScriptedEngine()) { server async throws in
            let wrongType = try await server.post(
                "/v1/chat/completions", #"{"messages":[{"role":"user","content":5}]}"#)
            #expect(wrongType.status == 400)
            #expect(wrongType.errorMessage == "messages[0].content: expected a string or an array, got integer")
            #expect(try wrongType.json["error"]?["param"] == "messages[0].content")
            #expect(try wrongType.json["error"]?["code"] == 400)
            let unknown = try await server.post("/v1/completions", #"{"model":"nope","prompt":"x"}"#)
            #expect(unknown.status == 404)
            #expect(unknown.errorMessage == "The model `nope` does not exist.")
            let long = try await server.post("/v1/completions", #"{"prompt":"x","max_tokens":5000}"#)
            #expect(long.status == 400)
            #expect(long.errorMessage.contains("(5000 > 4096 - 2)"))
        }
    }

    @Test func modelWithoutTemplate() async throws {
        try await withServer(ScriptedEngine(hasChatTemplate: false)) { server async throws in
            let response = try await server.post(
                "/v1/chat/completions", #"{"messages":[{"role":"user","content":"x"}]}"#)
            #expect(response.status == 400)
            #expect(response.errorMessage.contains("no chat template"))
        }
    }

    @Test func thePrefixCacheCanBeResetByAdmins() async throws {
        let engine = ScriptedEngine()
        let keys = configured {
            $0.apiKeys = ["key"]
            $0.adminKeys = ["admin"]
        }
        try await withServer(engine, keys) { server async throws in
            #expect(try await server.post("/reset_prefix_cache", "").status == 401)
            #expect(try await server.post("/reset_prefix_cache", "", headers: ["x-api-key": "key"]).status == 403)
            #expect(engine.cacheResets == 0)
            let response = try await server.post("/reset_prefix_cache", "", headers: ["x-api-key": "admin"])
            #expect(response.status == 200)
            #expect(engine.cacheResets == 1)
        }
        try await withServer(engine, configured { $0.apiKeys = ["key"] }) { server async throws in
            #expect(try await server.post("/reset_prefix_cache", "", headers: ["x-api-key": "key"]).status == 403)
        }
        try await withServer(engine) { server async throws in
            #expect(try await server.post("/reset_prefix_cache", "").status == 200)
        }
    }

    @Test func placeInTheQueueAndSaltReachTheEngine() async throws {
        let engine = ScriptedEngine()
        try await withServer(engine, configured { $0.apiKeys = ["one", "two"] }) { server async throws in
            let body = #"{"prompt":"a","priority":-3,"cache_salt":"s","skip_reading_prefix_cache":true}"#
            #expect(try await server.post("/v1/completions", body, headers: ["x-api-key": "two"]).status == 200)
            let chat = #"{"messages":[{"role":"user","content":"a"}]}"#
            #expect(try await server.post("/v1/chat/completions", chat, headers: ["x-api-key": "one"]).status == 200)
            let requests = engine.requests
            try #require(requests.count == 2)
            #expect(requests.map(\.priority) == [-3, 0])
            #expect(requests.map(\.cacheSalt) == ["s", nil])
            #expect(requests.map(\.readsCache) == [false, true])
            #expect(requests.map(\.tenant) == ["key-2", "key-1"])
            for salt in [#""""#, "\"\(String(repeating: "x", count: 1025))\"", "7"] {
                let response = try await server.post(
                    "/v1/completions", #"{"prompt":"a","cache_salt":\#(salt)}"#, headers: ["x-api-key": "one"])
                #expect(response.status == 400)
                #expect(response.text.contains("cache_salt"))
            }
        }
    }

    @Test func metricsFromTheFirstScrape() async throws {
        try await withServer(ScriptedEngine()) { server async throws in
            let response = try await server.get("/metrics")
            #expect(response.headers["content-type"]?.hasPrefix("text/plain; version=0.0.4") == true)
            let text = response.text
            for name in metricFamilies { #expect(text.contains("# TYPE \(name) "), "\(name) is missing") }
            #expect(
                text.contains(
                    #"vllm:cache_config_info{model_name="scripted",engine="0",block_size="16",num_gpu_blocks="128"} 1.0"#
                ))
            let buckets = text.split(separator: "\n").filter { $0.hasPrefix("vllm:time_to_first_token_seconds_bucket") }
            #expect(buckets.count == 23)
            #expect(buckets.last?.hasSuffix(#"le="+Inf"} 2"#) == true)
            #expect(buckets.dropLast().last?.hasSuffix(#"le="2560.0"} 1"#) == true)
            for line in text.split(separator: "\n") where !line.hasPrefix("#") {
                #expect(Double(line.split(separator: " ").last ?? "") != nil, "\(line)")
            }
        }
    }
}

private let metricFamilies = [
    "vllm:lora_requests_info", "martlet:adapter_requests_total", "martlet:kv_cache_bytes",
    "vllm:num_requests_running", "vllm:num_requests_waiting", "vllm:num_requests_waiting_by_reason",
    "vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc", "vllm:cache_config_info",
    "vllm:prefix_cache_queries_total", "vllm:prefix_cache_hits_total", "vllm:gpu_prefix_cache_queries_total",
    "vllm:gpu_prefix_cache_hits_total", "vllm:gpu_prefix_cache_hit_rate", "vllm:num_preemptions_total",
    "vllm:prompt_tokens_total", "vllm:prompt_tokens_cached_total", "vllm:generation_tokens_total",
    "vllm:request_success_total", "vllm:admission_rejections_total", "vllm:spec_decode_num_drafts_total",
    "vllm:spec_decode_num_draft_tokens_total", "vllm:spec_decode_num_accepted_tokens_total",
    "vllm:time_to_first_token_seconds", "vllm:inter_token_latency_seconds",
    "vllm:request_time_per_output_token_seconds", "vllm:e2e_request_latency_seconds",
    "vllm:request_queue_time_seconds", "vllm:request_inference_time_seconds", "vllm:request_prefill_time_seconds",
    "vllm:request_decode_time_seconds", "vllm:request_prompt_tokens", "vllm:request_generation_tokens",
    "vllm:request_max_num_generation_tokens", "vllm:request_params_n", "vllm:request_params_max_tokens",
    "vllm:request_num_preemptions", "vllm:request_prefill_kv_computed_tokens", "vllm:iteration_tokens_total",
    "http_requests_total", "process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds",
]
