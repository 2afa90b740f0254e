/// Bounds that keep one request from exhausting the server.
public struct SamplingLimits: Sendable, Equatable {
    public var choices = 128
    public var logprobs = 20
    public var stopStrings = 32
    public var stopStringBytes = 4096
    public var badWords = 256
    public var listedTokens = 16_384

    public init() {}
}

extension SamplingParameters {
    /// Refuses values that have no meaning or exceed a limit, naming the parameter.
    ///
    /// Ranges are vLLM's; `vocabularySize` bounds token ids.
    public func validate(vocabularySize: Int, limits: SamplingLimits = .init()) throws(ParameterError) {
        try check(n, in: 1...limits.choices, "n")
        if let maxTokens { try check(maxTokens, in: 1...Int.max, "max_tokens") }
        try check(minTokens, in: 0...Int.max, "min_tokens")
        if let maxTokens, minTokens > maxTokens {
            throw ParameterError("min_tokens", "min_tokens must not exceed max_tokens (\(maxTokens)), got \(minTokens)")
        }
        try validateDistribution()
        if let logprobs { try check(logprobs, in: 0...limits.logprobs, "logprobs") }
        if let promptLogprobs { try check(promptLogprobs, in: 0...limits.logprobs, "prompt_logprobs") }
        try validateTexts(limits)
        try validateTokens(vocabularySize, limits)
    }

    private func validateDistribution() throws(ParameterError) {
        try check(temperature, in: 0...1000, "temperature")
        guard topP > 0, topP <= 1 else { throw ParameterError("top_p", "top_p must be in (0, 1], got \(topP)") }
        try check(topK, in: 0...Int.max, "top_k")
        try check(minP, in: 0...1, "min_p")
        try check(presencePenalty, in: -2...2, "presence_penalty")
        try check(frequencyPenalty, in: -2...2, "frequency_penalty")
        guard repetitionPenalty > 0, repetitionPenalty <= 1000 else {
            throw ParameterError(
                "repetition_penalty", "repetition_penalty must be greater than zero, got \(repetitionPenalty)")
        }
    }

    private func validateTexts(_ limits: SamplingLimits) throws(ParameterError) {
        try check(stop.count, in: 0...limits.stopStrings, "stop", "the number of stop strings")
        for text in stop {
            guard !text.isEmpty else { throw ParameterError("stop", "stop cannot contain an empty string") }
            try check(text.utf8.count, in: 1...limits.stopStringBytes, "stop", "the length of a stop string in bytes")
        }
        try check(badWords.count, in: 0...limits.badWords, "bad_words", "the number of bad words")
        for text in badWords {
            guard !text.allSatisfy(\.isWhitespace) else {
                throw ParameterError("bad_words", "bad_words cannot contain an empty string")
            }
            try check(text.utf8.count, in: 1...limits.stopStringBytes, "bad_words", "the length of a bad word in bytes")
        }
    }

    private func validateTokens(_ vocabularySize: Int, _ limits: SamplingLimits) throws(ParameterError) {
        try checkTokens(stopTokenIDs, "stop_token_ids", vocabularySize, limits)
        try checkTokens(Array(logitBias.keys), "logit_bias", vocabularySize, limits)
        for (token, bias) in logitBias where !bias.isFinite {
            throw ParameterError("logit_bias", "logit_bias[\(token)] must be a finite number")
        }
        guard let allowedTokenIDs else { return }
        guard !allowedTokenIDs.isEmpty else {
            throw ParameterError("allowed_token_ids", "allowed_token_ids must not be empty")
        }
        guard allowedTokenIDs.count <= vocabularySize else {
            throw ParameterError("allowed_token_ids", "allowed_token_ids has more entries than the vocabulary")
        }
        try checkRange(allowedTokenIDs, "allowed_token_ids", vocabularySize)
    }

    private func checkTokens(
        _ tokens: [Int32], _ parameter: String, _ vocabularySize: Int, _ limits: SamplingLimits
    ) throws(ParameterError) {
        try check(tokens.count, in: 0...limits.listedTokens, parameter, "the number of tokens in \(parameter)")
        try checkRange(tokens, parameter, vocabularySize)
    }

    private func checkRange(_ tokens: [Int32], _ parameter: String, _ vocabularySize: Int) throws(ParameterError) {
        for token in tokens where token < 0 || Int(token) >= vocabularySize {
            throw ParameterError(
                parameter,
                "\(parameter) contains token id \(token), which is outside the vocabulary (0…\(vocabularySize - 1))")
        }
    }

    private func check<Value: Comparable>(
        _ value: Value, in range: ClosedRange<Value>, _ parameter: String, _ name: String? = nil
    ) throws(ParameterError) {
        guard range.contains(value) else {
            let bounds =
                if let upper = range.upperBound as? Int, upper == .max { "at least \(range.lowerBound)" } else {
                    "in [\(range.lowerBound), \(range.upperBound)]"
                }
            throw ParameterError(parameter, "\(name ?? parameter) must be \(bounds), got \(value)")
        }
    }
}
