/// How a response is delivered and what it carries besides text.
package struct ResponseOptions: Sendable, Equatable {
    package var stream = false
    /// A last chunk with the usage.
    package var includeUsage = false
    /// Usage so far in every chunk.
    package var continuousUsage = false
    package var returnTokenIDs = false
    /// Tokens in logprobs as `token_id:N` instead of their text.
    package var tokensAsIDs = false
    /// The client's own identifier of the request.
    package var requestID: String?

    package init() {}

    package init(_ fields: Fields) throws(APIError) {
        stream = try fields.bool("stream") ?? false
        returnTokenIDs = try fields.bool("return_token_ids") ?? false
        tokensAsIDs = try fields.bool("return_tokens_as_token_ids") ?? false
        requestID = try fields.string("request_id")
        guard let options = try fields.fields("stream_options") else { return }
        guard stream else {
            throw .badRequest("Stream options can only be defined when `stream=True`.", parameter: "stream_options")
        }
        includeUsage = try options.bool("include_usage") ?? false
        continuousUsage = includeUsage ? try options.bool("continuous_usage_stats") ?? false : false
    }
}
