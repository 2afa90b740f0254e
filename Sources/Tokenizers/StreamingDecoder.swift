/// Text from ids that arrive one by one: what is handed out is final and never ends within a character.
public struct StreamingDecoder {
    private let tokenizer: Tokenizer
    private let skipSpecialTokens: Bool
    private var utf8 = LossyUTF8()

    public init(tokenizer: Tokenizer, skipSpecialTokens: Bool, prompt: [Int32] = []) {
        self.tokenizer = tokenizer
        self.skipSpecialTokens = skipSpecialTokens
        for id in prompt { _ = append(id) }
    }

    /// Takes the next id; returns the text that is certain now.
    public mutating func append(_ id: Int32) -> String {
        if skipSpecialTokens, tokenizer.isSpecial(id) { return "" }
        var output: [UInt8] = []
        if let bytes = tokenizer.bytes(of: id) { utf8.append(bytes, to: &output) }
        return String(decoding: output, as: UTF8.self)
    }

    /// Ends the text; returns what was held back.
    public mutating func finish() -> String {
        var output: [UInt8] = []
        utf8.finish(to: &output)
        return String(decoding: output, as: UTF8.self)
    }
}
