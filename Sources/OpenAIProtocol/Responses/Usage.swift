import Engine

/// Token counts of a request.
package struct Usage: Sendable, Equatable {
    package var promptTokens = 0
    package var completionTokens = 0
    /// Prompt tokens found in the cache.
    package var cachedTokens = 0
    /// Positions that adapters put before the prompt; they are no prompt tokens.
    package var virtualTokens = 0
    /// What became of the request's adapters; nil when it asks for none.
    package var adapters: AdapterUse?

    package init() {}

    mutating func add(_ report: PromptReport) {
        promptTokens += report.promptTokens
        cachedTokens += report.cachedTokens
        virtualTokens += report.virtualTokens
        adapters = report.adapters ?? adapters
    }

    func append(to json: inout JSONBuffer) {
        json.raw(#"{"prompt_tokens":"#)
        json.integer(promptTokens)
        json.raw(#","total_tokens":"#)
        json.integer(promptTokens + completionTokens)
        json.raw(#","completion_tokens":"#)
        json.integer(completionTokens)
        json.raw(#","prompt_tokens_details":{"cached_tokens":"#)
        json.integer(cachedTokens)
        json.raw("}")
        switch adapters {
        case .from(let start):
            json.raw(#","adapter_start":"#)
            json.integer(start)
        case .notInvoked: json.raw(#","adapter_start":null"#)
        case nil: break
        }
        if virtualTokens > 0 {
            json.raw(#","virtual_tokens":"#)
            json.integer(virtualTokens)
        }
        json.raw("}")
    }
}
