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
    /// `encode` makes tokens of an invocation that is a text. O(prompt × invocation).
    package func start(in prompt: [Int32], encode: (String) -> [Int32]) -> Int? {
        switch self {
        case .always: 0
        case .afterTokens(let tokens, let offset): Self.lastOccurrence(of: tokens, in: prompt).map { $0 + offset }
        case .afterText(let text, let offset): Self.lastOccurrence(of: encode(text), in: prompt).map { $0 + offset }
        }
    }

    private static func lastOccurrence(of tokens: [Int32], in prompt: [Int32]) -> Int? {
        guard !tokens.isEmpty, tokens.count <= prompt.count else { return nil }
        return (0...prompt.count - tokens.count).last { prompt[$0..<$0 + tokens.count].elementsEqual(tokens) }
    }
}
