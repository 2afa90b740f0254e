import Engine
import Sampling

/// One prompt as the engine takes it, with what the response needs to know of it.
package struct PreparedPrompt: Sendable, Equatable {
    package var tokens: [Int32]
    /// In place of tokens.
    package var embeddings: PromptEmbeddings?
    /// Whether the limit of new tokens is the server's, and gives way where the context has less room.
    package var isLimitOpen = false
    /// The text put before the output, when the request asks for an echo.
    package var echo: String?
    package var sampling: SamplingParameters
    package var scheduling: SchedulingFields
    package var adapters: [AdapterSelection]
    /// Whether an adapter that the prompt does not invoke is an error; nil is as the server has it.
    package var adaptersAreStrict: Bool?

    package init(
        tokens: [Int32], echo: String? = nil, sampling: SamplingParameters,
        scheduling: SchedulingFields = SchedulingFields(), adapters: [AdapterSelection] = [],
        adaptersAreStrict: Bool? = nil
    ) {
        self.adaptersAreStrict = adaptersAreStrict
        self.adapters = adapters
        self.scheduling = scheduling
        self.tokens = tokens
        self.echo = echo
        self.sampling = sampling
    }
}

/// vLLM's `truncate_prompt_tokens`: keeps that many tokens of a prompt, its end unless `truncation_side` is `right`.
package struct Truncation: Sendable, Equatable {
    package var limit: Int
    package var keepsStart = false

    package init?(_ fields: Fields) throws(APIError) {
        let side = try fields.string("truncation_side")
        guard side == nil || side == "left" || side == "right" else {
            throw .badRequest("truncation_side: expected `left` or `right`", parameter: "truncation_side")
        }
        guard let limit = try fields.integer("truncate_prompt_tokens") else { return nil }
        guard limit == -1 || limit >= 1 else {
            throw .badRequest(
                "truncate_prompt_tokens must be -1 or at least 1, got \(limit)", parameter: "truncate_prompt_tokens")
        }
        self.limit = limit
        keepsStart = side == "right"
    }

    /// -1 stands for the longest prompt that leaves room for a token.
    func apply(to tokens: [Int32], maxModelLength: Int) throws(APIError) -> [Int32] {
        guard limit <= maxModelLength else {
            throw .badRequest(
                "truncate_prompt_tokens value (\(limit)) is greater than max_model_len (\(maxModelLength)).",
                parameter: "truncate_prompt_tokens")
        }
        let count = limit == -1 ? max(maxModelLength - 1, 1) : limit
        return keepsStart ? Array(tokens.prefix(count)) : Array(tokens.suffix(count))
    }
}

extension ModelInformation {
    /// Checks that a prompt fits the context and settles how many tokens may follow it; wording as vLLM's.
    ///
    /// `requested` is the client's own limit, `cap` the operator's.
    func outputLimit(promptTokens: Int, requested: Int?, cap: Int?, input: String) throws(APIError) -> Int {
        guard promptTokens < maxModelLength else {
            throw .badRequest(
                "This model's maximum context length is \(maxModelLength) tokens. However, your request has "
                    + "\(promptTokens) input tokens. Please reduce the length of the input \(input).",
                parameter: input)
        }
        let room = maxModelLength - promptTokens
        if let requested, requested > room {
            throw .badRequest(
                "'max_tokens' or 'max_completion_tokens' is too large: \(requested). This model's maximum context "
                    + "length is \(maxModelLength) tokens and your request has \(promptTokens) input tokens "
                    + "(\(requested) > \(maxModelLength) - \(promptTokens)).",
                parameter: "max_tokens")
        }
        return min(requested ?? room, cap ?? room, room)
    }

    /// Refuses token ids past the vocabulary.
    static func check(_ tokens: [Int32], _ path: String, vocabularySize: Int) throws(APIError) {
        for (position, token) in tokens.enumerated() where token < 0 || Int(token) >= vocabularySize {
            throw .badRequest(
                "\(path)[\(position)]: token id \(token) is outside the vocabulary (0…\(vocabularySize - 1))",
                parameter: path)
        }
    }

    /// Refuses names under which no model is served; no name means the only model.
    package func checkName(_ name: String?) throws(APIError) {
        guard let name, !servedNames.contains(name) else { return }
        throw .notFound("The model \(APIError.quoted(name)) does not exist.", parameter: "model")
    }
}
