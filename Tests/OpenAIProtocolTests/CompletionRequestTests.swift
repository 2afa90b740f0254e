import Checkpoints
import Engine
import Foundation
import OpenAIProtocol
import Sampling
import Testing

@Suite struct CompletionRequestTests {
    @Test func defaults() throws {
        let request = try completion(#"{"prompt":"x"}"#)
        #expect(request.sampling.maxTokens == 16)
        #expect(request.sampling.temperature == 1)
        #expect(request.addSpecialTokens)
        #expect(!request.options.stream)
    }

    @Test func modelDefaultsAreOverridden() throws {
        var defaults = SamplingParameters()
        defaults.temperature = 0.6
        defaults.topK = 20
        let request = try completion(#"{"prompt":"x","temperature":0}"#, defaults: defaults)
        #expect(request.sampling.temperature == 0)
        #expect(request.sampling.topK == 20)
    }

    @Test func promptsOfAllShapes() throws {
        #expect(try completion(#"{"prompt":"ab"}"#).prompts == [.text("ab")])
        #expect(try completion(#"{"prompt":["a","b"]}"#).prompts == [.text("a"), .text("b")])
        #expect(try completion(#"{"prompt":[1,2]}"#).prompts == [.tokens([1, 2])])
        #expect(try completion(#"{"prompt":[[1],[2,3]]}"#).prompts == [.tokens([1]), .tokens([2, 3])])
    }

    @Test(arguments: [
        "{}", #"{"prompt":null}"#, #"{"prompt":[]}"#, #"{"prompt":5}"#, #"{"prompt":{}}"#, #"{"prompt":["a",1]}"#,
        #"{"prompt":[1,"a"]}"#, #"{"prompt":[[1],2]}"#, #"{"prompt":[[1],"a"]}"#, #"{"prompt":[true]}"#,
        #"{"prompt":[1.5]}"#, #"{"prompt":[-1]}"#, #"{"prompt":[99999999999]}"#, "[]", "5", "null",
    ])
    func wrongPrompts(_ body: String) throws {
        let error = try #require(throws: APIError.self) { try completion(body) }
        #expect(error.status == 400)
    }

    @Test(arguments: [#"{"prompt":[258]}"#, #"{"prompt":[[1],[2,1000]]}"#, #"{"prompt":[[]]}"#])
    func promptsOutsideTheModel(_ body: String) throws {
        let request = try completion(body)
        let error = try #require(throws: APIError.self) { try request.prepare(information, ByteText()) }
        #expect(error.status == 400)
    }

    @Test func emptyTextIsRefusedUnlessATokenIsAdded() throws {
        #expect(try completion(#"{"prompt":""}"#).prepare(information, ByteText())[0].tokens == [256])
        let bare = try completion(#"{"prompt":"","add_special_tokens":false}"#)
        #expect(throws: APIError.self) { try bare.prepare(information, ByteText()) }
    }

    @Test func numberOfPromptsAndSequences() throws {
        var limits = RequestLimits()
        limits.prompts = 3
        limits.sequences = 4
        #expect(throws: APIError.self) { try completion(#"{"prompt":["a","b","c","d"]}"#, limits: limits) }
        #expect(throws: APIError.self) { try completion(#"{"prompt":["a","b","c"],"n":2}"#, limits: limits) }
        #expect(try completion(#"{"prompt":["a","b"],"n":2}"#, limits: limits).prompts.count == 2)
    }

    @Test func contextLength() throws {
        let tooMuch = try completion(#"{"prompt":"abc","max_tokens":97}"#)
        let error = try #require(throws: APIError.self) { try tooMuch.prepare(information, ByteText()) }
        #expect(
            error.message
                == "'max_tokens' or 'max_completion_tokens' is too large: 97. This model's maximum context length is 100 "
                + "tokens and your request has 4 input tokens (97 > 100 - 4).")
        let long = try completion(#"{"prompt":"\#(String(repeating: "a", count: 99))"}"#)
        let other = try #require(throws: APIError.self) { try long.prepare(information, ByteText()) }
        #expect(
            other.message
                == "This model's maximum context length is 100 tokens. However, your request has 100 input tokens. Please "
                + "reduce the length of the input prompt.")
        #expect(try completion(#"{"prompt":"abc","max_tokens":96}"#).prepare(information, ByteText()).count == 1)
    }

    @Test func operatorsLimitCapsTheOutput() throws {
        var defaults = SamplingParameters()
        defaults.maxTokens = 10
        let prepared = try completion(#"{"prompt":"a","max_tokens":50}"#, defaults: defaults)
            .prepare(information, ByteText())
        #expect(prepared[0].sampling.maxTokens == 10)
    }

    @Test func truncation() throws {
        let body = #"{"prompt":"abcdef","add_special_tokens":false,"truncate_prompt_tokens":2"#
        #expect(try completion(body + "}").prepare(information, ByteText())[0].tokens == [101, 102])
        let right = try completion(body + #","truncation_side":"right"}"#).prepare(information, ByteText())
        #expect(right[0].tokens == [97, 98])
        let long = #"{"prompt":"\#(String(repeating: "a", count: 500))","max_tokens":1,"truncate_prompt_tokens":-1}"#
        #expect(try completion(long).prepare(information, ByteText())[0].tokens.count == 99)
        let tooLong = try completion(#"{"prompt":"a","truncate_prompt_tokens":101}"#)
        #expect(throws: APIError.self) { try tooLong.prepare(information, ByteText()) }
        #expect(refusal(completion: #""truncate_prompt_tokens":0"#)?.status == 400)
        #expect(refusal(completion: #""truncation_side":"up""#)?.status == 400)
    }

    @Test func echoAsksForPromptLogprobs() throws {
        let request = try completion(#"{"prompt":[[1,2],[3]],"echo":true,"logprobs":1,"max_tokens":1}"#)
        #expect(request.sampling.promptLogprobs == 1)
        #expect(request.sampling.logprobs == 1)
        #expect(!request.echoOnly)
        let only = try completion(#"{"prompt":"a","echo":true,"logprobs":1,"max_tokens":0}"#)
        #expect(only.echoOnly)
        #expect(only.sampling.maxTokens == 1)
        #expect(refusal(completion: #""max_tokens":0"#)?.status == 400)
    }

    @Test func logitBiasIsClamped() throws {
        let request = try completion(#"{"prompt":"x","logit_bias":{"5":1000,"6":-1000,"7":2.5}}"#)
        #expect(request.sampling.logitBias == [5: 100, 6: -100, 7: 2.5])
        #expect(refusal(completion: #""logit_bias":{"258":1}"#)?.status == 400)
    }

    @Test func whatCannotBeHonouredIsRefused() {
        for fields in [
            #""suffix":"x""#, #""use_beam_search":true"#, #""structured_outputs":{"regex":"a"}"#,
            #""prompt_embeds":"AAAA""#, #""logprob_token_ids":[1]"#, #""stream":true,"prompt_logprobs":1"#,
        ] {
            #expect(refusal(completion: fields)?.status == 400, "\(fields)")
        }
        #expect(refusal(completion: #""response_format":{"type":"text"}"#) == nil)
    }

    @Test func unknownModel() {
        let error = refusal(completion: #""model":"gpt-9""#)
        #expect(error?.status == 404)
        #expect(error?.type == "NotFoundError")
        #expect(error?.parameter == "model")
        #expect(refusal(completion: #""model":"alias""#) == nil)
        let long = refusal(completion: #""model":"\#(String(repeating: "x", count: 100_000))""#)
        #expect((long?.message.utf8.count ?? .max) < 400)
    }
}

/// Input embeddings instead of prompts.
@Suite struct PromptEmbedsTests {
    private static let header = #"{"x":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}"#
    private static let file = Data(
        withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8)
            + [UInt8](repeating: 0, count: 8)
    ).base64EncodedString()

    private static func accepting() -> RequestLimits {
        var limits = RequestLimits()
        limits.acceptsPromptEmbeddings = true
        return limits
    }

    @Test func embeddingsComeBeforePrompts() throws {
        let body = #"{"model":"m","prompt_embeds":["\#(Self.file)","\#(Self.file)"],"prompt":"after"}"#
        let request = try completion(body, limits: Self.accepting())
        #expect(request.prompts.count == 3 && request.prompts[2] == .text("after"))
        let alone = try completion(#"{"model":"m","prompt_embeds":"\#(Self.file)"}"#, limits: Self.accepting())
        let embeddings = try PromptEmbeddings(safetensors: Array(#require(Data(base64Encoded: Self.file))))
        #expect(alone.prompts == [.embeddings(embeddings)])
    }

    @Test func refusals() {
        let file = Self.file
        for (body, words, accepts) in [
            (#"{"prompt_embeds":"\#(file)"}"#, "--enable-prompt-embeds", false),
            (#"{"prompt_embeds":"***"}"#, "base64", true), (#"{"prompt_embeds":7}"#, "base64", true),
            (#"{"prompt_embeds":"AAAA"}"#, "bytes", true),
            (#"{"prompt_embeds":"\#(file)","echo":true}"#, "Echo", true),
            (#"{"prompt_embeds":"\#(file)","prompt_logprobs":1}"#, "not compatible", true),
            (#"{"prompt_embeds":[]}"#, "prompt", true),
        ] {
            do {
                _ = try completion(body, limits: accepts ? Self.accepting() : RequestLimits())
                Issue.record("\(body) was accepted")
            } catch {
                #expect("\(error)".contains(words), "\(error)")
            }
        }
    }
}
