import Checkpoints
import Sampling

extension Fields {
    /// Sampling parameters of a request over the model's defaults; names and ranges are vLLM's.
    ///
    /// Fields that differ between endpoints (`max_tokens`, `logprobs`) are left to the caller, and so is validation.
    package func sampling(
        over defaults: SamplingParameters, limits: SamplingLimits
    ) throws(APIError) -> SamplingParameters {
        var result = defaults
        if let value = try integer("n") { result.n = value }
        if let value = try integer("min_tokens") { result.minTokens = value }
        try readDistribution(into: &result)
        try readTokens(into: &result, limits)
        try readTexts(into: &result, limits)
        if let value = try bool("ignore_eos") { result.ignoreEOS = value }
        if let value = try bool("skip_special_tokens") { result.skipSpecialTokens = value }
        if let value = try integer("prompt_logprobs") { result.promptLogprobs = value }
        try checkBestOf(n: result.n)
        try refuseUnsupported()
        try checkIgnored()
        return result
    }

    private func readDistribution(into result: inout SamplingParameters) throws(APIError) {
        if let value = try number("temperature") { result.temperature = value }
        if let value = try number("top_p") { result.topP = value }
        // Both 0 and -1 mean "all tokens" to vLLM.
        if let value = try integer("top_k") { result.topK = value == -1 ? 0 : value }
        if let value = try number("min_p") { result.minP = value }
        if let value = try number("presence_penalty") { result.presencePenalty = value }
        if let value = try number("frequency_penalty") { result.frequencyPenalty = value }
        if let value = try number("repetition_penalty") { result.repetitionPenalty = value }
        // vLLM takes -1 for "no seed".
        if let value = try integer("seed") { result.seed = value == -1 ? nil : UInt64(bitPattern: Int64(value)) }
    }

    private func readTokens(into result: inout SamplingParameters, _ limits: SamplingLimits) throws(APIError) {
        if let value = try tokens("stop_token_ids", limit: limits.listedTokens) { result.stopTokenIDs = value }
        // The bound is the vocabulary's, which validation knows; this one only keeps the work small.
        if let value = try tokens("allowed_token_ids", limit: 1 << 20) { result.allowedTokenIDs = value }
        guard let biases = try fields("logit_bias") else { return }
        try Self.checkCount(biases.object.count, limits.listedTokens, biases.path)
        result.logitBias = [:]
        for (key, value) in biases.object {
            guard let token = Int32(key), token >= 0 else {
                throw .badRequest(
                    "logit_bias: expected token ids as keys, got \(APIError.quoted(key))", parameter: "logit_bias")
            }
            // vLLM clamps to OpenAI's range instead of refusing.
            let bias = min(max(try Self.number(value, biases.path(of: key)), -100), 100)
            result.logitBias[token] = Float(bias)
        }
    }

    private func readTexts(into result: inout SamplingParameters, _ limits: SamplingLimits) throws(APIError) {
        if let value = value("stop") {
            switch value {
            case .string(let text): result.stop = [text]
            case .array: result.stop = try strings("stop", limit: limits.stopStrings) ?? []
            default: throw Self.mismatch(path(of: "stop"), "a string or an array of strings", value)
            }
        }
        if let value = try strings("bad_words", limit: limits.badWords) { result.badWords = value }
        if let value = try bool("include_stop_str_in_output") { result.includeStopStringInOutput = value }
    }

    private func checkBestOf(n: Int) throws(APIError) {
        guard let value = try integer("best_of"), value != n, value != 1 else { return }
        throw .badRequest(
            "best_of: ranking several candidates is not supported; leave it out or set it to n (\(n)), got \(value)",
            parameter: "best_of")
    }

    /// Fields of OpenAI or vLLM that would change the output and that this server cannot honour.
    private func refuseUnsupported() throws(APIError) {
        if try bool("use_beam_search") == true { throw unsupported("use_beam_search", "Beam search") }
        if try bool("watermarking") == true { throw unsupported("watermarking", "Watermarking") }
        for (key, what) in [
            ("structured_outputs", "Structured output"), ("logprob_token_ids", "Choosing tokens for logprobs"),
            ("repetition_detection", "Repetition detection"), ("thinking_token_budget", "A thinking budget"),
            ("suffix", "Inserting before a suffix"),
        ] where value(key) != nil {
            throw unsupported(key, what)
        }
        guard let format = try fields("response_format"), let type = try format.string("type"), type != "text" else {
            return
        }
        throw .badRequest(
            "response_format: type \(APIError.quoted(type)) is not supported yet; only `text` is.",
            parameter: "response_format")
    }

    private func unsupported(_ key: String, _ what: String) -> APIError {
        .badRequest("\(path(of: key)): \(what) is not supported.", parameter: path(of: key))
    }

    /// Fields that are accepted and change nothing; a wrong type is still refused.
    private func checkIgnored() throws(APIError) {
        for key in ["length_penalty"] { _ = try number(key) }
        for key in ["stream_interval"] { _ = try integer(key) }
        for key in ["user", "session_id"] { _ = try string(key) }
        for key in ["spaces_between_special_tokens"] { _ = try bool(key) }
        for key in ["kv_transfer_params", "vllm_xargs"] { _ = try fields(key) }
    }
}
