/// From which position of a request on an adapter is active; decided once, on the token ids of the prompt.
package enum AdapterActivation: Sendable, Equatable {
    /// Everywhere.
    case always
    /// From the last occurrence of the tokens on, `offset` tokens after its first one (Activated LoRA).
    case afterTokens([Int32], offset: Int)
    /// The same with a text, to be made tokens by the model's tokenizer without special tokens being added
    /// (the first published Activated LoRAs; source: `alora/config.py` of IBM/activated-lora).
    case afterText(String, offset: Int)

    /// The first position of `prompt` with the adapter; nil where it stays off, for the prompt and all that follows.
    ///
    /// `encode` makes tokens of an invocation that is a text. O(prompt + invocation).
    package func start(in prompt: [Int32], encode: (String) -> [Int32]) -> Int? {
        switch self {
        case .always: 0
        case .afterTokens(let tokens, let offset): Self.lastOccurrence(of: tokens, in: prompt).map { $0 + offset }
        case .afterText(let text, let offset): Self.lastOccurrence(of: encode(text), in: prompt).map { $0 + offset }
        }
    }

    /// The method of Knuth, Morris and Pratt: a long invocation in a long prompt must not cost their product.
    private static func lastOccurrence(of tokens: [Int32], in prompt: [Int32]) -> Int? {
        guard !tokens.isEmpty else { return nil }
        // borders[n]: length of the longest proper beginning of the first n + 1 tokens that is their ending too.
        var borders = [Int](repeating: 0, count: tokens.count)
        func extended(_ matched: Int, by token: Int32) -> Int {
            var matched = matched
            while matched > 0, matched == tokens.count || tokens[matched] != token { matched = borders[matched - 1] }
            return tokens[matched] == token ? matched + 1 : 0
        }
        for place in tokens.indices.dropFirst() { borders[place] = extended(borders[place - 1], by: tokens[place]) }
        var matched = 0
        var last: Int?
        for (place, token) in prompt.enumerated() {
            matched = extended(matched, by: token)
            if matched == tokens.count { last = place + 1 - matched }
        }
        return last
    }
}
