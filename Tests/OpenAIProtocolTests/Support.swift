import Checkpoints
import OpenAIProtocol
import Sampling

@testable import Engine

/// Tokens are bytes; 256 begins a text, 257 is a special token without text.
struct ByteText: TextService {
    var hasChatTemplate = true

    func encode(_ text: String, addSpecialTokens: Bool) -> [Int32] {
        (addSpecialTokens ? [256] : []) + text.utf8.map { Int32($0) }
    }

    func decode(_ tokens: [Int32], skipSpecialTokens: Bool) -> String {
        String(decoding: tokens.compactMap { UInt8(exactly: $0) }, as: UTF8.self)
    }

    func piece(_ token: Int32) -> String? { token == 256 ? "<s>" : nil }
    func bytes(of token: Int32) -> [UInt8]? { UInt8(exactly: token).map { [$0] } }
    func isSpecial(_ token: Int32) -> Bool { token >= 256 }

    func renderChat(_ chat: ChatInput) throws(EngineError) -> String {
        (chat.messages.array ?? []).map { $0["content"]?.string ?? "" }.joined(separator: "|")
    }
}

let information = ModelInformation(
    servedNames: ["m", "alias"], root: "root", maxModelLength: 100, vocabularySize: 258, hiddenSize: 2,
    dtype: "float32", quantization: .none,
    architecture: "test", parameterCount: 1, created: 7)

func completion(
    _ text: String, defaults: SamplingParameters = SamplingParameters(), limits: RequestLimits = RequestLimits()
) throws -> CompletionRequest {
    try CompletionRequest(try JSONValue(parsing: text), model: information, defaults: defaults, limits: limits)
}

func chat(
    _ text: String, defaults: SamplingParameters = SamplingParameters(), limits: RequestLimits = RequestLimits()
) throws -> ChatCompletionRequest {
    try ChatCompletionRequest(try JSONValue(parsing: text), model: information, defaults: defaults, limits: limits)
}

/// The refusal of a completion with these fields beside its prompt, or nil when it is accepted.
func refusal(completion fields: String) -> APIError? {
    do {
        _ = try completion(#"{"prompt":"x",\#(fields)}"#)
        return nil
    } catch let error as APIError { return error } catch { return .badRequest("syntax: \(error)") }
}

func refusal(chat fields: String) -> APIError? {
    do {
        _ = try chat(#"{"messages":[{"role":"user","content":"x"}],\#(fields)}"#)
        return nil
    } catch let error as APIError { return error } catch { return .badRequest("syntax: \(error)") }
}

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

let head = ResponseHead(id: "id-1", created: 9, model: "m")

func delta(
    _ text: String, _ tokens: [Int32], index: Int = 0, logprobs: [PositionLogprobs] = [], finish: Finish? = nil
) -> GenerationEvent {
    .delta(GenerationDelta(index: index, text: text, tokens: tokens, logprobs: logprobs, finish: finish))
}

func started(_ tokens: Int, cached: Int = 0, logprobs: [PositionLogprobs?]? = nil) -> GenerationEvent {
    .started(
        PromptReport(promptTokens: tokens, cachedTokens: cached, virtualTokens: 0, adapters: nil, logprobs: logprobs))
}

func position(_ token: Int32, _ logprob: Float, top: [(Int32, Float)] = []) -> PositionLogprobs {
    PositionLogprobs(
        chosen: TokenLogprob(token: token, logprob: logprob, rank: 1),
        top: top.enumerated().map { TokenLogprob(token: $1.0, logprob: $1.1, rank: $0 + 1) })
}
