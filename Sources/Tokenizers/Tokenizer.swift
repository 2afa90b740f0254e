import Checkpoints

/// A tokenizer as its `tokenizer.json` describes it: text to ids and back.
///
/// Immutable after loading; any number of threads may encode and decode at once.
public final class Tokenizer: Sendable {
    let parts: TokenizerParts
    private let pool = WorkspacePool()

    /// One more than the largest id, added tokens included.
    public let vocabularySize: Int
    /// What `tokenizer_config.json` names as the beginning of a text, if anything.
    public let bosTokenID: Int32?
    /// What `tokenizer_config.json` names as the end of a text, if anything.
    public let eosTokenID: Int32?

    /// Reads the text of a `tokenizer.json`. O(bytes); nothing of the memory is kept.
    ///
    /// Throws a `TokenizerError` that names the field for anything that is missing, malformed or not supported.
    public convenience init(tokenizerJSON: UnsafeBufferPointer<UInt8>) throws(TokenizerError) {
        self.init(try TokenizerParts(tokenizerJSON), config: nil)
    }

    /// Reads the text of a `tokenizer.json`. O(bytes).
    public convenience init(tokenizerJSON: [UInt8]) throws(TokenizerError) {
        try self.init(tokenizerJSON: tokenizerJSON, config: nil)
    }

    /// Reads the text of a `tokenizer.json`; the configuration names the special tokens.
    package convenience init(
        tokenizerJSON: UnsafeBufferPointer<UInt8>, config: TokenizerConfig?
    ) throws(TokenizerError) {
        self.init(try TokenizerParts(tokenizerJSON), config: config)
    }

    /// Reads the text of a `tokenizer.json`; the configuration names the special tokens.
    package convenience init(tokenizerJSON: [UInt8], config: TokenizerConfig?) throws(TokenizerError) {
        let parts = try tokenizerJSON.withUnsafeBufferPointer { bytes throws(TokenizerError) in
            try TokenizerParts(bytes)
        }
        self.init(parts, config: config)
    }

    private init(_ parts: TokenizerParts, config: TokenizerConfig?) {
        self.parts = parts
        vocabularySize = max(parts.model.vocabulary.idLimit, Int(parts.addedTokens.tokens.keys.max() ?? -1) + 1)
        let id: (String) -> Int32? = { name in
            guard let content = config?.specialTokens[name] else { return nil }
            return parts.addedTokens.id(of: content) ?? parts.model.vocabulary.id(ofText: content)
        }
        bosTokenID = id("bos_token")
        eosTokenID = id("eos_token")
    }

    // MARK: Encoding

    /// The ids of `text`; special tokens written in the text are recognised.
    ///
    /// `addSpecialTokens` puts what the post-processor says around them. O(bytes of the text), near enough.
    public func encode(_ text: String, addSpecialTokens: Bool = true) -> [Int32] {
        var text = text
        var ids: [Int32] = []
        text.withUTF8 { utf8 in
            guard let base = utf8.baseAddress else { return }
            ids.reserveCapacity(utf8.count / 3 + 8)
            pool.withWorkspace { space in encode(base, utf8.count, into: &ids, space) }
        }
        return parts.postProcessor.wrap(ids, addSpecialTokens: addSpecialTokens)
    }

    private func encode(_ base: UnsafePointer<UInt8>, _ count: Int, into ids: inout [Int32], _ space: Workspace) {
        parts.addedTokens.forEachPart(base, count, normalized: false) { start, end, id in
            if let id {
                ids.append(id)
                return
            }
            let segment = space.segment
            segment.text.removeAll()
            segment.text.append(base + start, count: end - start)
            segment.startsAtOrigin = start == 0
            parts.normalizer.normalize(segment)
            if parts.addedTokens.hasNormalizedTokens {
                encodeNormalized(into: &ids, space)
            } else {
                encodeSegment(into: &ids, space)
            }
        }
    }

    /// Splits normalised text at the added tokens that are matched there.
    private func encodeNormalized(into ids: inout [Int32], _ space: Workspace) {
        let segment = space.segment
        let whole = Array(UnsafeBufferPointer(start: segment.text.base, count: segment.text.count))
        let startsAtOrigin = segment.startsAtOrigin
        whole.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress else { return }
            parts.addedTokens.forEachPart(base, bytes.count, normalized: true) { start, end, id in
                if let id {
                    ids.append(id)
                    return
                }
                segment.text.removeAll()
                segment.text.append(base + start, count: end - start)
                segment.startsAtOrigin = startsAtOrigin && start == 0
                encodeSegment(into: &ids, space)
            }
        }
    }

    private func encodeSegment(into ids: inout [Int32], _ space: Workspace) {
        parts.preTokenizer.split(space.segment)
        parts.model.encode(space.segment.text.base, space.segment.pieces, into: &ids, space)
    }

    // MARK: Vocabulary

    /// The id of a token spelled as in the vocabulary, added tokens included.
    public func id(of token: String) -> Int32? {
        parts.addedTokens.id(of: token) ?? parts.model.vocabulary.id(ofText: token)
    }

    /// The token as the vocabulary spells it (`Ġthe`, `▁the`), or nil for an unused id.
    public func piece(_ id: Int32) -> String? {
        if let token = parts.addedTokens.tokens[id] { return token.content }
        return parts.model.vocabulary.spelling(of: id).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Whether decoding leaves the token out when special tokens are skipped.
    public func isSpecial(_ id: Int32) -> Bool { parts.addedTokens.tokens[id]?.isSpecial ?? false }
}
