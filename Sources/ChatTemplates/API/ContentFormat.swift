/// How a template reads a message's `content`.
public enum ContentFormat: String, Sendable {
    /// As one string.
    case string
    /// As a list of parts with a `type`, over which the template loops.
    case openai
}

extension ContentFormat {
    /// Finds out by looking for a loop over message content, as vLLM's `--chat-template-content-format auto` does.
    init(of body: [Statement]) {
        var search = ContentLoopSearch()
        search.search(body)
        self = search.isFound ? .openai : .string
    }
}
