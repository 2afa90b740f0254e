extension Tokenizer {
    /// The text of `ids`; what is not UTF-8 becomes U+FFFD, ids without a token are passed over. O(bytes of the text).
    public func decode(_ ids: some Sequence<Int32>, skipSpecialTokens: Bool = true) -> String {
        var text: [UInt8] = []
        var decoder = StreamingDecoder(tokenizer: self, skipSpecialTokens: skipSpecialTokens)
        for id in ids { decoder.append(id, to: &text) }
        decoder.finish(to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes that a token stands for in the middle of a text, or nil for an unused id.
    public func bytes(of id: Int32) -> [UInt8]? {
        if parts.decoder.isPlainByteLevel {
            var bytes: [UInt8]?
            withDecodedBytes(of: id) { bytes = Array($0) }
            return bytes
        }
        return decodedSpelling(of: id).map { parts.decoder.bytes(of: $0) }
    }

    /// Whether decoding without special tokens leaves the id out.
    func isSkipped(_ id: Int32) -> Bool { parts.addedTokens.isSkipped(id) }

    /// UTF-8 of the token as the decoder gets it.
    func decodedSpelling(of id: Int32) -> [UInt8]? {
        if let content = parts.addedTokens.decodedContent(of: id) { return Array(content.utf8) }
        return parts.model.vocabulary.spelling(of: id)
    }

    /// The bytes of a token as a ByteLevel decoder makes them, without a copy where the vocabulary has them.
    func withDecodedBytes(of id: Int32, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
        if let content = parts.addedTokens.decodedContent(of: id) {
            TokenText.byteLevel(Array(content.utf8)).withUnsafeBufferPointer(body)
            return
        }
        guard let (bytes, _) = parts.model.vocabulary.bytes(of: id) else { return }
        if parts.model.vocabulary.form == .byteLevel {
            body(bytes)
        } else {
            TokenText.byteLevel(Array(bytes)).withUnsafeBufferPointer(body)
        }
    }
}
