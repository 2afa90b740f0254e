import Checkpoints
import Engine
import Sampling

/// A body of `POST /v1/chat/completions`.
package struct ChatCompletionRequest: Sendable, Equatable {
    package var model: String?
    package var chat: ChatInput
    package var sampling: SamplingParameters
    package var options: ResponseOptions
    package var scheduling: SchedulingFields
    package var adapters: AdapterFields
    /// Puts the final message before the output when it is the assistant's (vLLM).
    package var echo: Bool
    package var addSpecialTokens: Bool
    package var truncation: Truncation?

    private let requestedTokens: Int?
    private let cap: Int?

    /// Reads and validates everything that needs no tokenizer.
    package init(
        _ body: JSONValue, model information: ModelInformation, defaults: SamplingParameters, limits: RequestLimits,
        isAdapter: (String) -> Bool = { _ in false }
    ) throws(APIError) {
        let fields = try Fields(body)
        model = try fields.string("model")
        adapters = try AdapterFields(fields, information, isAdapter: isAdapter)
        options = try ResponseOptions(fields)
        scheduling = try SchedulingFields(fields)
        chat = try fields.chat(limits)
        echo = try fields.bool("echo") ?? false
        addSpecialTokens = try fields.bool("add_special_tokens") ?? false
        truncation = try Truncation(fields)
        sampling = try fields.sampling(over: defaults, limits: limits.sampling)
        cap = defaults.maxTokens
        let maxTokens = try fields.integer("max_tokens")
        requestedTokens = try fields.integer("max_completion_tokens") ?? maxTokens
        sampling.maxTokens = requestedTokens
        sampling.logprobs = try Self.logprobs(fields)
        try Self.checkIgnored(fields)
        try check(information, limits)
    }

    private static func logprobs(_ fields: Fields) throws(APIError) -> Int? {
        let wanted = try fields.bool("logprobs") ?? false
        let top = try fields.integer("top_logprobs")
        if let top, top != 0, !wanted {
            throw .badRequest(
                "when using `top_logprobs`, `logprobs` must be set to true.", parameter: "top_logprobs")
        }
        return wanted ? top ?? 0 : nil
    }

    private static func checkIgnored(_ fields: Fields) throws(APIError) {
        for key in ["parallel_tool_calls", "include_reasoning", "store"] { _ = try fields.bool(key) }
        for key in ["service_tier", "verbosity", "prompt_cache_key", "safety_identifier"] { _ = try fields.string(key) }
        for key in ["metadata", "media_io_kwargs", "mm_processor_kwargs"] { _ = try fields.fields(key) }
    }

    private func check(_ information: ModelInformation, _ limits: RequestLimits) throws(APIError) {
        do throws(ParameterError) {
            try sampling.validate(
                vocabularySize: adapters.vocabularyBound(information), limits: limits.sampling)
        } catch { throw APIError(error) }
        guard sampling.n <= limits.sequences else {
            throw .badRequest("n must be at most \(limits.sequences), got \(sampling.n)", parameter: "n")
        }
        if options.stream, sampling.promptLogprobs != nil {
            throw .badRequest(
                "`prompt_logprobs` are not available when `stream=True`.", parameter: "prompt_logprobs")
        }
    }

    /// The conversation as one prompt.
    ///
    /// Runs the chat template and the tokenizer: linear in the text, and not for an event loop.
    package func prepare(
        _ information: ModelInformation, _ text: some TextService
    ) throws(APIError) -> PreparedPrompt {
        var tokens = try chat.tokens(text, addSpecialTokens: addSpecialTokens)
        if let truncation {
            tokens = try truncation.apply(to: tokens, maxModelLength: information.maxModelLength)
        }
        guard !tokens.isEmpty else {
            throw .badRequest("messages: the chat template rendered an empty prompt", parameter: "messages")
        }
        var sampling = sampling
        sampling.maxTokens = try information.outputLimit(
            promptTokens: tokens.count, requested: requestedTokens, cap: cap, input: "messages")
        var prepared = PreparedPrompt(
            tokens: tokens, echo: echo ? finalAssistantText : nil, sampling: sampling, scheduling: scheduling,
            adapters: adapters.selections, adaptersAreStrict: adapters.isStrict)
        prepared.isLimitOpen = requestedTokens == nil
        return prepared
    }

    private var finalAssistantText: String? {
        guard let last = chat.messages.array?.last, last["role"]?.string == "assistant" else { return nil }
        return last["content"]?.string
    }
}

extension ChatInput {
    /// The rendered prompt as tokens; a model without a chat template refuses.
    package func tokens(_ text: some TextService, addSpecialTokens: Bool) throws(APIError) -> [Int32] {
        guard template != nil || text.hasChatTemplate else {
            throw .badRequest(
                "This model has no chat template; use /v1/completions, or start the server with --chat-template.",
                parameter: "messages")
        }
        do throws(EngineError) {
            return text.encode(try text.renderChat(self), addSpecialTokens: addSpecialTokens)
        } catch { throw APIError(error) }
    }
}
