import Checkpoints
import Engine
import Sampling

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A body of `POST /v1/completions`.
package struct CompletionRequest: Sendable, Equatable {
    package enum Prompt: Sendable, Equatable {
        case text(String)
        case tokens([Int32])
        case embeddings(PromptEmbeddings)
    }

    package var model: String?
    package var prompts: [Prompt]
    package var sampling: SamplingParameters
    package var options: ResponseOptions
    package var scheduling: SchedulingFields
    package var adapters: AdapterFields
    package var echo: Bool
    /// `max_tokens` 0 with `echo`: the prompt and its logprobs come back, nothing is generated.
    package var echoOnly: Bool
    package var addSpecialTokens: Bool
    package var truncation: Truncation?

    private let requestedTokens: Int
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
        echo = try fields.bool("echo") ?? false
        addSpecialTokens = try fields.bool("add_special_tokens") ?? true
        truncation = try Truncation(fields)
        sampling = try fields.sampling(over: defaults, limits: limits.sampling)
        if let value = try fields.integer("logprobs") { sampling.logprobs = value }
        if echo, sampling.promptLogprobs == nil { sampling.promptLogprobs = sampling.logprobs }

        cap = defaults.maxTokens
        let maxTokens = try fields.integer("max_tokens") ?? Self.defaultMaxTokens
        echoOnly = echo && maxTokens == 0
        requestedTokens = echoOnly ? 1 : maxTokens
        sampling.maxTokens = requestedTokens
        let embedded = try Self.embeddings(fields, limits)
        let isAlone = fields.value("prompt") == nil || fields.value("prompt") == .string("")
        prompts = try embedded + (embedded.isEmpty || !isAlone ? Self.prompts(fields, limits) : [])
        try check(information, fields, limits)
    }

    /// OpenAI's default of `max_tokens`.
    private static let defaultMaxTokens = 16

    private func check(
        _ information: ModelInformation, _ fields: Fields, _ limits: RequestLimits
    ) throws(APIError) {
        do throws(ParameterError) {
            try sampling.validate(
                vocabularySize: adapters.vocabularyBound(information), limits: limits.sampling)
        } catch { throw APIError(error) }
        if options.stream, try fields.integer("prompt_logprobs") != nil {
            throw .badRequest(
                "`prompt_logprobs` are not available when `stream=True`.", parameter: "prompt_logprobs")
        }
        if prompts.contains(where: { if case .embeddings = $0 { true } else { false } }) {
            guard !echo else {
                throw .badRequest("Echo is unsupported with prompt embeds.", parameter: "echo")
            }
            guard sampling.promptLogprobs == nil else {
                throw .badRequest(
                    "prompt_logprobs is not compatible with prompt embeds.", parameter: "prompt_logprobs")
            }
        }
        guard prompts.count * sampling.n <= limits.sequences else {
            throw .badRequest(
                "n × prompts must be at most \(limits.sequences), got \(sampling.n) × \(prompts.count)", parameter: "n")
        }
    }

    /// vLLM's `prompt_embeds`, but the base64 text is of a safetensors file: what vLLM takes, a pickle, can run programs.
    private static func embeddings(_ fields: Fields, _ limits: RequestLimits) throws(APIError) -> [Prompt] {
        guard let value = fields.value("prompt_embeds"), value != .null else { return [] }
        guard limits.acceptsPromptEmbeddings else {
            throw .badRequest(
                "You must set `--enable-prompt-embeds` to input `prompt_embeds`.", parameter: "prompt_embeds")
        }
        let values = value.array ?? [value]
        try Fields.checkCount(values.count, limits.prompts, "prompt_embeds")
        var prompts: [Prompt] = []
        for (position, value) in values.enumerated() {
            let path = value == fields.value("prompt_embeds") ? "prompt_embeds" : "prompt_embeds[\(position)]"
            guard let text = value.string, let content = Data(base64Encoded: text) else {
                throw .badRequest("\(path): expected the base64 text of a safetensors file", parameter: "prompt_embeds")
            }
            do {
                prompts.append(.embeddings(try PromptEmbeddings(safetensors: Array(content))))
            } catch {
                throw APIError(error).placed(path)
            }
        }
        return prompts
    }

    private static func prompts(_ fields: Fields, _ limits: RequestLimits) throws(APIError) -> [Prompt] {
        let expected = "a string, an array of strings, an array of token ids or an array of arrays of token ids"
        guard let value = fields.value("prompt") else {
            throw .badRequest("prompt: the field is required", parameter: "prompt")
        }
        switch value {
        case .string(let text): return [.text(text)]
        case .array(let values):
            guard let first = values.first else {
                throw .badRequest("prompt: expected at least one entry", parameter: "prompt")
            }
            if case .int = first { return [.tokens(try Fields.tokens(values, "prompt"))] }
            try Fields.checkCount(values.count, limits.prompts, "prompt")
            var result: [Prompt] = []
            for (position, value) in values.enumerated() {
                switch (value, first) {
                case (.string(let text), .string): result.append(.text(text))
                case (.array(let tokens), .array):
                    result.append(.tokens(try Fields.tokens(tokens, "prompt[\(position)]")))
                default:
                    throw .badRequest(
                        "prompt[\(position)]: expected \(expected), got \(value.kind)", parameter: "prompt")
                }
            }
            return result
        default: throw Fields.mismatch("prompt", expected, value)
        }
    }

    /// The prompts as tokens, each with its own limit of new tokens.
    ///
    /// Linear in the length of the prompts, and not fast for long ones: not for an event loop.
    package func prepare(
        _ information: ModelInformation, _ text: some TextService
    ) throws(APIError) -> [PreparedPrompt] {
        var result: [PreparedPrompt] = []
        for (position, prompt) in prompts.enumerated() {
            let path = prompts.count == 1 ? "prompt" : "prompt[\(position)]"
            var tokens: [Int32]
            var embeddings: PromptEmbeddings?
            switch prompt {
            case .text(let string): tokens = text.encode(string, addSpecialTokens: addSpecialTokens)
            case .tokens(let ids):
                try ModelInformation.check(ids, path, vocabularySize: adapters.vocabularyBound(information))
                tokens = ids
            case .embeddings(let rows):
                tokens = []
                embeddings = rows
            }
            let full = tokens.count
            if let truncation, embeddings == nil {
                tokens = try truncation.apply(to: tokens, maxModelLength: information.maxModelLength)
            }
            guard !tokens.isEmpty || embeddings != nil else {
                throw .badRequest("\(path): the prompt is empty", parameter: "prompt")
            }
            var sampling = sampling
            sampling.maxTokens = try information.outputLimit(
                promptTokens: embeddings?.count ?? tokens.count, requested: requestedTokens, cap: cap, input: "prompt")
            result.append(
                PreparedPrompt(
                    tokens: tokens, echo: echo ? echoed(prompt, tokens, isWhole: tokens.count == full, text) : nil,
                    sampling: sampling, scheduling: scheduling, adapters: adapters.selections,
                    adaptersAreStrict: adapters.isStrict))
            result[position].embeddings = embeddings
        }
        return result
    }

    private func echoed(
        _ prompt: Prompt, _ tokens: [Int32], isWhole: Bool, _ text: some TextService
    ) -> String {
        if isWhole, case .text(let string) = prompt { return string }
        return text.decode(tokens, skipSpecialTokens: sampling.skipSpecialTokens)
    }
}
