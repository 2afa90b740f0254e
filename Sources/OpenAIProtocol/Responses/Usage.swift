import Engine

/// Token counts of a request.
package struct Usage: Sendable, Equatable {
    package var promptTokens = 0
    package var completionTokens = 0
    /// Prompt tokens found in the cache.
    package var cachedTokens = 0
    /// For requests with adapters: the first position that was computed with them; nil inside when none was, as the
    /// prompt did not invoke them.
    package var adapterStart: Int??

    package init() {}

    mutating func add(_ report: PromptReport) {
        promptTokens += report.promptTokens
        cachedTokens += report.cachedTokens
        if adapterStart != nil { adapterStart = .some(report.adapterStart) }
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
        if let adapterStart {
            json.raw(#","adapter_start":"#)
            if let start = adapterStart { json.integer(start) } else { json.raw("null") }
        }
        json.raw("}")
    }
}
