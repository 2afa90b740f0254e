import Sampling

extension JSONBuffer {
    /// Chat's `logprobs` object; `top` is the number of alternatives asked for.
    mutating func chatLogprobs(_ positions: [PositionLogprobs], top: Int, _ names: TokenNames) {
        raw(#"{"content":"#)
        list(positions) { json, position in
            json.raw("{")
            json.chatToken(position.chosen, names)
            json.raw(#","top_logprobs":"#)
            json.list(position.top.prefix(top)) { json, token in
                json.raw("{")
                json.chatToken(token, names)
                json.raw("}")
            }
            json.raw("}")
        }
        raw(#","refusal":null}"#)
    }

    private mutating func chatToken(_ token: TokenLogprob, _ names: TokenNames) {
        raw(#""token":"#)
        string(names.name(token.token))
        raw(#","logprob":"#)
        logprob(token.logprob)
        raw(#","bytes":"#)
        octets(names.bytes(token.token))
    }

    /// vLLM's `prompt_logprobs`: null for the first token, then an object by token id for each.
    mutating func promptLogprobs(_ positions: [PositionLogprobs?], _ names: TokenNames) {
        list(positions) { json, position in
            guard let position else { return json.raw("null") }
            json.raw("{")
            var isFirst = true
            for token in position.topWithChosen {
                if !isFirst { json.raw(",") }
                isFirst = false
                json.raw("\"")
                json.integer(Int(token.token))
                json.raw(#"":{"logprob":"#)
                json.logprob(token.logprob)
                json.raw(#","rank":"#)
                json.integer(token.rank)
                json.raw(#","decoded_token":"#)
                json.string(names.plainName(token.token))
                json.raw("}")
            }
            json.raw("}")
        }
    }
}
