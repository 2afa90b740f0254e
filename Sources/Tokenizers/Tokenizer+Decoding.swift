extension Tokenizer {
    /// The text of `ids`; what is not UTF-8 becomes U+FFFD. O(bytes of the text).
    public func decode(_ ids: some Sequence<Int32>, skipSpecialTokens: Bool = true) -> String {
        var decoder = StreamingDecoder(tokenizer: self, skipSpecialTokens: skipSpecialTokens)
        var text = ""
        for id in ids { text += decoder.append(id) }
        return text + decoder.finish()
    }

    /// The bytes that a token stands for in running text, or nil for an unused id.
    public func bytes(of id: Int32) -> [UInt8]? {
        if let token = parts.addedTokens.tokens[id] { return Array(token.content.utf8) }
        return parts.model.vocabulary.bytes(of: id).map { Array($0.bytes) }
    }
}
