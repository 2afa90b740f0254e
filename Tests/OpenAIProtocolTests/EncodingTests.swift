import Checkpoints
import Engine
import OpenAIProtocol
import Sampling
import Testing

/// Golden bytes of every kind of response.
@Suite struct EncodingTests {
    private func chatEncoding(_ fields: String = "") throws -> ChatEncoding {
        let request = try chat(#"{"messages":[{"role":"user","content":"hi"}]\#(fields)}"#)
        return ChatEncoding(head, request.options, try request.prepare(information, ByteText()), ByteText())
    }

    private func completionEncoding(_ body: String) throws -> CompletionEncoding {
        let request = try completion(body)
        return CompletionEncoding(head, request, try request.prepare(information, ByteText()), ByteText())
    }

    @Test func chatResponse() throws {
        var encoder = ChatResponseEncoder(try chatEncoding())
        #expect(encoder.append(started(2, cached: 1), prompt: 0).isEmpty)
        #expect(encoder.append(delta("a\n", [97, 10]), prompt: 0).isEmpty)
        _ = encoder.append(delta("\"", [34], finish: Finish(.stop, stopReason: .string("#"))), prompt: 0)
        #expect(
            text(encoder.finish())
                == #"{"id":"id-1","object":"chat.completion","created":9,"model":"m","choices":[{"index":0,"message":"#
                + #"{"role":"assistant","content":"a\n\"","refusal":null},"logprobs":null,"finish_reason":"stop","#
                + ##""stop_reason":"#"}],"usage":{"prompt_tokens":2,"total_tokens":5,"completion_tokens":3,"##
                + #""prompt_tokens_details":{"cached_tokens":1}}}"#)
    }

    @Test func chatStream() throws {
        var encoder = ChatStreamEncoder(
            try chatEncoding(#","stream":true,"stream_options":{"include_usage":true},"return_token_ids":true"#))
        let opening = #"data: {"id":"id-1","object":"chat.completion.chunk","created":9,"model":"m","choices":["#
        #expect(
            text(encoder.append(started(2), prompt: 0))
                == opening + #"{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"#
                + "\"finish_reason\":null}],\"prompt_token_ids\":[104,105]}\n\n")
        #expect(
            text(encoder.append(delta("é", [195, 169]), prompt: 0))
                == opening + #"{"index":0,"delta":{"content":"é"},"logprobs":null,"finish_reason":null,"#
                + "\"token_ids\":[195,169]}]}\n\n")
        #expect(
            text(encoder.append(delta("", [257], finish: Finish(.stop, stopReason: .token(257))), prompt: 0))
                == opening + #"{"index":0,"delta":{"content":""},"logprobs":null,"finish_reason":"stop","#
                + "\"stop_reason\":257,\"token_ids\":[257]}]}\n\n")
        #expect(
            text(encoder.finish())
                == opening + #"],"usage":{"prompt_tokens":2,"total_tokens":5,"completion_tokens":3,"#
                + "\"prompt_tokens_details\":{\"cached_tokens\":0}}}\n\ndata: [DONE]\n\n")
    }

    @Test func chunksWithoutTextAreLeftOut() throws {
        var encoder = ChatStreamEncoder(try chatEncoding(#","stream":true"#))
        #expect(encoder.append(delta("", [195]), prompt: 0).isEmpty)
        #expect(encoder.usage.completionTokens == 1)
        #expect(text(encoder.finish()) == "data: [DONE]\n\n")
    }

    @Test func chatLogprobs() throws {
        var encoder = ChatResponseEncoder(
            try chatEncoding(#","logprobs":true,"top_logprobs":1,"return_tokens_as_token_ids":true"#))
        let logprobs = position(97, -.infinity, top: [(98, -0.25), (99, -1)])
        _ = encoder.append(delta("a", [97], logprobs: [logprobs], finish: Finish(.length)), prompt: 0)
        let json = try JSONValue(parsing: text(encoder.finish()))
        #expect(
            json["choices"]?.array?[0]["logprobs"] == [
                "content": [
                    [
                        "token": "token_id:97", "logprob": -9999.0, "bytes": [97],
                        "top_logprobs": [["token": "token_id:98", "logprob": -0.25, "bytes": [98]]],
                    ]
                ], "refusal": nil,
            ])
    }

    @Test func promptLogprobs() throws {
        var encoder = ChatResponseEncoder(try chatEncoding(#","prompt_logprobs":1"#))
        _ = encoder.append(started(2, logprobs: [nil, position(105, -3, top: [(106, -1)])]), prompt: 0)
        let json = try JSONValue(parsing: text(encoder.finish()))
        #expect(
            json["prompt_logprobs"] == [
                nil,
                [
                    "106": ["logprob": -1.0, "rank": 1, "decoded_token": "j"],
                    "105": ["logprob": -3.0, "rank": 1, "decoded_token": "i"],
                ],
            ])
    }

    @Test func completionResponse() throws {
        var encoder = CompletionResponseEncoder(try completionEncoding(#"{"prompt":["a","b"]}"#))
        for prompt in 0..<2 {
            _ = encoder.append(started(2), prompt: prompt)
            _ = encoder.append(delta("x", [120], finish: Finish(.length)), prompt: prompt)
        }
        #expect(
            text(encoder.finish())
                == #"{"id":"id-1","object":"text_completion","created":9,"model":"m","choices":[{"index":0,"text":"x","#
                + #""logprobs":null,"finish_reason":"length","stop_reason":null},{"index":1,"text":"x","logprobs":null,"#
                + #""finish_reason":"length","stop_reason":null}],"usage":{"prompt_tokens":4,"total_tokens":6,"#
                + #""completion_tokens":2,"prompt_tokens_details":{"cached_tokens":0}}}"#)
    }

    /// What lm-eval sends and reads: the chosen token's log probability is among the top ones, the first one is null.
    @Test func echoWithLogprobs() throws {
        var encoder = CompletionResponseEncoder(
            try completionEncoding(#"{"prompt":[[97,98]],"echo":true,"logprobs":1,"max_tokens":1}"#))
        _ = encoder.append(started(2, logprobs: [nil, position(98, -2, top: [(99, -0.5)])]), prompt: 0)
        let chosen = position(100, -1, top: [(100, -1)])
        _ = encoder.append(delta("d", [100], logprobs: [chosen], finish: Finish(.length)), prompt: 0)
        let choice = try JSONValue(parsing: text(encoder.finish()))["choices"]?.array?[0]
        #expect(choice?["text"] == "abd")
        #expect(
            choice?["logprobs"] == [
                "tokens": ["a", "b", "d"], "token_logprobs": [nil, -2.0, -1.0],
                "top_logprobs": [nil, ["c": -0.5, "b": -2.0], ["d": -1.0]], "text_offset": [0, 1, 2],
            ])
    }

    @Test func echoOnly() throws {
        let body = #"{"prompt":"ab","add_special_tokens":false,"echo":true,"logprobs":0,"max_tokens":0}"#
        let report = started(2, logprobs: [nil, position(98, -2)])
        let end = delta("d", [100], logprobs: [position(100, -1)], finish: Finish(.stop))
        var encoder = CompletionResponseEncoder(try completionEncoding(body))
        _ = encoder.append(report, prompt: 0)
        _ = encoder.append(end, prompt: 0)
        let json = try JSONValue(parsing: text(encoder.finish()))
        #expect(json["choices"]?.array?[0]["text"] == "ab")
        #expect(json["choices"]?.array?[0]["logprobs"]?["tokens"] == ["a", "b"])
        #expect(json["choices"]?.array?[0]["finish_reason"] == "length")
        #expect(json["usage"]?["completion_tokens"] == 0)
    }

    @Test func streamedEchoAndOffsets() throws {
        var encoder = CompletionStreamEncoder(
            try completionEncoding(
                #"{"prompt":"aé","add_special_tokens":false,"echo":true,"logprobs":0,"stream":true}"#))
        let prompt = started(3, logprobs: [nil, position(195, -2), position(169, -3)])
        let first = try JSONValue(parsing: String(text(encoder.append(prompt, prompt: 0)).dropFirst(6)))
        #expect(first["choices"]?.array?[0]["text"] == "aé")
        #expect(first["choices"]?.array?[0]["logprobs"]?["text_offset"] == [0, 1, 2])
        let next = encoder.append(delta("x", [120], logprobs: [position(120, -1)]), prompt: 0)
        let second = try JSONValue(parsing: String(text(next).dropFirst(6)))
        #expect(second["choices"]?.array?[0]["logprobs"]?["text_offset"] == [2])
    }

    @Test func tokensOfEqualTextKeepTheirLogprobs() throws {
        var encoder = CompletionResponseEncoder(try completionEncoding(#"{"prompt":"a","logprobs":2}"#))
        let logprobs = position(195, -1, top: [(195, -1), (196, -2)])
        _ = encoder.append(delta("", [195], logprobs: [logprobs], finish: Finish(.length)), prompt: 0)
        let json = try JSONValue(parsing: text(encoder.finish()))
        #expect(
            json["choices"]?.array?[0]["logprobs"]?["top_logprobs"] == [["\u{FFFD}": -1.0, "token_id:196": -2.0]])
    }

    @Test func continuousUsage() throws {
        var encoder = CompletionStreamEncoder(
            try completionEncoding(
                #"{"prompt":"a","stream":true,"stream_options":{"include_usage":true,"continuous_usage_stats":true}}"#))
        _ = encoder.append(started(2), prompt: 0)
        let chunk = encoder.append(delta("x", [120]), prompt: 0)
        let json = try JSONValue(parsing: String(text(chunk).dropFirst(6)))
        #expect(json["usage"]?["completion_tokens"] == 1)
        #expect(json["usage"]?["prompt_tokens"] == 2)
    }

    @Test func errors() {
        #expect(
            text(APIError(EngineError.overloaded(retryAfter: 3)).body)
                == #"{"error":{"message":"The server is overloaded; try again in 3 s.","#
                + #""type":"ServiceUnavailableError","param":null,"code":503}}"#)
        #expect(
            text(ServerSentEvents.failure(APIError(EngineError.failed("x"))))
                == "data: {\"error\":{\"message\":\"x\",\"type\":\"InternalServerError\",\"param\":null,\"code\":500}}\n\n"
                + "data: [DONE]\n\n")
        #expect(APIError(EngineError.invalidRequest(parameter: "n", message: "y")).parameter == "n")
    }
}
