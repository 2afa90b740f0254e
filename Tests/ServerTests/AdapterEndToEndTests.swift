import Checkpoints
import Engine
import Foundation
import Server
import Testing

/// Adapters the whole way: socket, protocol, engine and back.
@Suite(.serialized) struct AdapterEndToEndTests {
    private func post(
        _ server: RunningServer, _ fields: String, _ path: String = "/v1/completions"
    ) async throws -> RawResponse {
        try await server.post(path, #"{"max_tokens":3,"ignore_eos":true,\#(fields)}"#)
    }

    /// The invocation of `alora` is 4 9 5.
    @Test func strictInvocation() async throws {
        let engine = try await TinyEngine.load(["alora", "lora"])
        try await withServer(engine, configured { $0.requiresInvocation = true }) { server async throws in
            for prompt in [#""t1 t4 t9 t5 t2""#, "[1,4,9,5,2]", #"["t4 t9 t5","t4 t9 t5 t1"]"#] {
                let answer = try await post(server, #""model":"alora","prompt":\#(prompt)"#)
                #expect(answer.status == 200, "\(answer.text)")
            }
            for (prompt, place) in [
                (#""t1 t4 t9""#, "The prompt"), ("[1,4,9,6]", "The prompt"),
                (#"["t4 t9 t5","t1"]"#, "prompt[1]: The prompt"), ("[[4,9,5],[4,9,5,1],[9]]", "prompt[2]: The prompt"),
            ] {
                for model in [#""model":"alora""#, #""adapters":["alora"]"#] {
                    let answer = try await post(server, #"\#(model),"prompt":\#(prompt)"#)
                    #expect(answer.status == 400)
                    #expect(answer.errorMessage.hasPrefix(place), "\(answer.text)")
                    #expect(answer.errorMessage.contains("'alora'") && answer.errorMessage.contains("tokens 4 9 5"))
                    #expect(answer.errorMessage.contains("t4"))
                }
            }
            let chat = "/v1/chat/completions"
            func message(_ text: String) -> String {
                #""model":"alora","messages":[{"role":"user","content":"\#(text)"}]"#
            }
            #expect(try await post(server, message("t1 t4 t9 t5"), chat).status == 200)
            #expect(try await post(server, message("t1 t4 t9"), chat).status == 400)
            #expect(try await post(server, message("t1 t4 t9") + #","stream":true"#, chat).status == 400)
            let lenient = try await post(server, message("t1") + #","adapter_strict":false"#, chat)
            #expect(lenient.status == 200 && lenient.text.contains(#""adapter_start":null"#))
            // Whatever switches on nowhere in particular is not concerned.
            #expect(try await post(server, #""model":"lora","prompt":"t1""#).status == 200)
            #expect(try await post(server, #""prompt":"t1""#).status == 200)
        }
        #expect(await engine.audit() == nil)
        engine.shutdown()
    }

    /// `lora-grown` brings the tokens 32, 33 and 34.
    @Test func tokensPastTheVocabulary() async throws {
        let engine = try await TinyEngine.load(["lora-grown", "lora"])
        try await withServer(engine) { server async throws in
            let wanted = #""logit_bias":{"34":100},"temperature":0,"return_token_ids":true,"logprobs":2"#
            for fields in [
                #""prompt":[1,33,5]"#, #""prompt":"t1","echo":true"#, #""prompt":[32,33,34],"echo":true,"stop":["zz"]"#,
                #""prompt":[33],"allowed_token_ids":[32,34]"#, #""prompt":[1],"stop_token_ids":[32]"#,
                #""prompt":[33,1],"prompt_logprobs":1"#, #""prompt":[33,1],"truncate_prompt_tokens":1"#,
            ] {
                for model in [#""model":"lora-grown""#, #""adapters":["lora-grown"]"#] {
                    let answer = try await post(server, "\(model),\(fields),\(wanted)")
                    #expect(answer.status == 200, "\(fields): \(answer.text)")
                    let tokens = try answer.json["choices"]?.array?.first?["token_ids"]
                    #expect(tokens == [34, 34, 34], "\(fields)")
                    let streamed = try await post(server, "\(model),\(fields),\(wanted),\"stream\":true")
                    #expect(streamed.status == (fields.contains("prompt_logprobs") ? 400 : 200), "\(streamed.text)")
                }
            }
            let stopped = try await post(
                server, #""model":"lora-grown","prompt":[33],"stop_token_ids":[34],\#(wanted)"#)
            #expect(try stopped.json["choices"]?.array?.first?["stop_reason"] == 34)
            let chat = try await post(
                server, #""model":"lora-grown","messages":[{"role":"user","content":"t1"}],"logit_bias":{"34":100}"#,
                "/v1/chat/completions")
            #expect(chat.status == 200, "\(chat.text)")
            for model in ["tiny", "lora"] {
                for fields in [
                    #""prompt":[1,33]"#, #""prompt":[1],"logit_bias":{"34":1}"#, #""prompt":[1],"stop_token_ids":[32]"#,
                    #""prompt":[1],"allowed_token_ids":[32]"#,
                ] {
                    let answer = try await post(server, #""model":"\#(model)",\#(fields)"#)
                    #expect(answer.status == 400, "\(model) \(fields): \(answer.text)")
                    #expect(answer.errorMessage.contains("0…31"), "\(answer.text)")
                }
            }
            for fields in [
                #""prompt":[35]"#, #""prompt":[1,2147483647]"#, #""prompt":[-1]"#,
                #""prompt":[1],"logit_bias":{"35":1}"#, #""prompt":[1],"logit_bias":{"2147483647":1}"#,
                #""prompt":[1],"stop_token_ids":[35]"#, #""prompt":[1],"allowed_token_ids":[2147483647]"#,
                #""prompt":[1],"allowed_token_ids":[]"#, #""prompt":[2147483647],"echo":true"#,
            ] {
                let answer = try await post(server, #""model":"lora-grown",\#(fields)"#)
                #expect(answer.status == 400, "\(fields): \(answer.text)")
            }
            for (fields, status) in [
                (#""tokens":[1,32]"#, 400), (#""model":"lora-grown","tokens":[1,34]"#, 200),
                (#""model":"lora-grown","tokens":[35]"#, 400), (#""model":"lora","tokens":[32]"#, 400),
            ] {
                #expect(try await server.post("/detokenize", "{\(fields)}").status == status, "\(fields)")
            }
            #expect(try await server.post("/tokenize", #"{"model":"lora-grown","prompt":"t1"}"#).status == 200)
            #expect(try await server.get("/v1/adapters/lora-grown").json["vocabulary_size"] == 35)
        }
        #expect(await engine.audit() == nil)
        engine.shutdown()
    }

    @Test func numbersByAdapter() async throws {
        let engine = try await TinyEngine.load(["lora", "dora"])
        try await withServer(engine) { server async throws in
            for _ in 0..<2 {
                #expect(try await post(server, #""model":"lora","prompt":"t1 t2 t3""#).status == 200)
            }
            #expect(try await server.post("/v1/adapters/reload", #"{"name":"lora"}"#).status == 200)
            #expect(try await server.post("/v1/adapters/pin", #"{"name":"dora"}"#).status == 200)
            let lora = try await server.get("/v1/adapters/lora").json
            #expect(lora["loads"] == 2 && lora["uses"]?["requests"] == 2 && lora["uses"]?["running"] == 0)
            #expect(lora["last_used"]?.int ?? 0 > 1_700_000_000 && lora["load_seconds"]?.double ?? 0 > 0)
            let dora = try await server.get("/v1/adapters/dora").json
            #expect(dora["pinned"] == true && dora["last_used"] == .null && dora["digest"]?.string?.count == 64)
            let text = try await server.get("/metrics").text
            func value(_ name: String, _ adapter: String, _ more: String = "") -> Double? {
                let start = #"\#(name){model_name="tiny",engine="0",adapter="\#(adapter)"\#(more)}"#
                return text.split(separator: "\n").first { $0.hasPrefix(start + " ") }?.split(separator: " ").last
                    .flatMap { Double($0) }
            }
            #expect(value("martlet:adapter_requests_total", "lora") == 2)
            #expect(value("martlet:adapter_requests_running", "lora") == 0)
            #expect(value("martlet:adapter_loads_total", "lora") == 2)
            #expect(value("martlet:adapter_loads_total", "dora") == 1)
            #expect(value("martlet:adapter_evictions_total", "dora") == 0)
            #expect(value("martlet:adapter_last_load_seconds", "lora") ?? 0 > 0)
            #expect(value("martlet:adapter_load_time_seconds_count", "lora") == 2)
            #expect(value("martlet:adapter_time_to_first_token_seconds_count", "lora") == 2)
            #expect(value("martlet:adapter_time_to_first_token_seconds_bucket", "lora", #",le="+Inf""#) == 2)
            #expect(value("martlet:adapter_inter_token_latency_seconds_count", "lora") == 4)
            #expect(value("martlet:adapter_time_to_first_token_seconds_count", "dora") == nil)
            #expect(value("martlet:adapter_residency", "dora", #",state="memory""#) == 1)
            #expect(value("martlet:adapter_residency", "dora", #",state="disk""#) == 0)
            #expect(value("martlet:adapter_resident_bytes", "lora") == lora["bytes"]?.double)
            for line in text.split(separator: "\n") where line.hasPrefix("# TYPE ") {
                let name = line.split(separator: " ")[2]
                #expect(text.components(separatedBy: "# TYPE \(name) ").count == 2, "\(name) has one head")
                #expect(text.contains("# HELP \(name) "), "\(name)")
            }
        }
        engine.shutdown()
    }
}
