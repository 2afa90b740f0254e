import Sampling

/// The four parallel arrays of `/v1/completions`, built position by position.
///
/// `text_offset` counts Unicode scalars from the start of the choice's text, as vLLM does.
struct CompletionLogprobs: Sendable {
    private let names: TokenNames
    /// Where the next token's text begins.
    private var offset = 0

    private var tokens = JSONBuffer()
    private var logprobs = JSONBuffer()
    private var top = JSONBuffer()
    private var offsets = JSONBuffer()

    init(_ names: TokenNames) { self.names = names }

    /// Adds a token; `position` is nil for the first token of a prompt, which nothing predicts.
    mutating func append(_ token: Int32, _ position: PositionLogprobs?) {
        if !tokens.bytes.isEmpty {
            tokens.raw(",")
            logprobs.raw(",")
            top.raw(",")
            offsets.raw(",")
        }
        tokens.string(names.name(token))
        offsets.integer(offset)
        offset += names.width(token)
        guard let position else {
            logprobs.raw("null")
            top.raw("null")
            return
        }
        logprobs.logprob(position.chosen.logprob)
        appendTop(position)
    }

    /// Distinct tokens may have the same text (parts of characters); the later ones go by their id, so none is lost.
    private mutating func appendTop(_ position: PositionLogprobs) {
        var used: Set<String> = []
        top.raw("{")
        for token in position.topWithChosen {
            if !used.isEmpty { top.raw(",") }
            var name = names.name(token.token)
            if !used.insert(name).inserted {
                name = TokenNames.idName(token.token)
                used.insert(name)
            }
            top.string(name)
            top.raw(":")
            top.logprob(token.logprob)
        }
        top.raw("}")
    }

    /// Writes the arrays as an object and empties them; offsets go on.
    mutating func flush(to json: inout JSONBuffer) {
        json.raw(#"{"tokens":["#)
        json.raw(tokens.bytes)
        json.raw(#"],"token_logprobs":["#)
        json.raw(logprobs.bytes)
        json.raw(#"],"top_logprobs":["#)
        json.raw(top.bytes)
        json.raw(#"],"text_offset":["#)
        json.raw(offsets.bytes)
        json.raw("]}")
        tokens = JSONBuffer()
        logprobs = JSONBuffer()
        top = JSONBuffer()
        offsets = JSONBuffer()
    }
}
