/// The rewriting of single tokens that decoder steps share.
enum TokenText {
    /// The byte that a token like `<0x0A>` stands for.
    static func fallbackByte(_ token: [UInt8]) -> UInt8? {
        guard token.count == 6, token.starts(with: "<0x".utf8), token[5] == UInt8(ascii: ">") else { return nil }
        return UInt8(String(decoding: token[3..<5], as: UTF8.self), radix: 16)
    }

    /// The bytes that a token spells in the byte alphabet; its own text when it is not written in it.
    static func byteLevel(_ token: [UInt8]) -> [UInt8] {
        token.withUnsafeBufferPointer { ByteAlphabet.bytes(spelledBy: $0) } ?? token
    }

    static func replace(_ pattern: [UInt8], with content: [UInt8], in text: [UInt8]) -> [UInt8] {
        guard let first = pattern.first, text.contains(first) else { return text }
        var result: [UInt8] = []
        var position = 0
        while position < text.count {
            if text[position] == first, text[position...].starts(with: pattern) {
                result += content
                position += pattern.count
            } else {
                result.append(text[position])
                position += 1
            }
        }
        return result
    }

    private static let cleanups: [(pattern: [UInt8], content: [UInt8])] = [
        (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
        (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
    ].map { (Array($0.0.utf8), Array($0.1.utf8)) }

    /// Takes out the spaces that BERT's tokenisation leaves before punctuation.
    static func cleanUp(_ text: [UInt8]) -> [UInt8] {
        guard text.contains(0x20) else { return text }
        return cleanups.reduce(text) { replace($1.pattern, with: $1.content, in: $0) }
    }

    /// Cuts up to `start` times `content` from the front and up to `stop` times from the back.
    static func strip(_ text: [UInt8], _ content: [UInt8], start: Int, stop: Int) -> [UInt8] {
        var rest = text[...]
        var count = 0
        while count < start, rest.starts(with: content) {
            rest = rest.dropFirst(content.count)
            count += 1
        }
        count = 0
        while count < stop, rest.count >= content.count, rest.suffix(content.count).elementsEqual(content) {
            rest = rest.dropLast(content.count)
            count += 1
        }
        return Array(rest)
    }

    static func wordPiece(_ token: [UInt8], prefix: [UInt8], isFirst: Bool) -> [UInt8] {
        if isFirst { return token }
        return token.starts(with: prefix) ? Array(token.dropFirst(prefix.count)) : [0x20] + token
    }
}

extension DecoderPlan {
    /// The bytes that a token in the middle of a text stands for.
    func bytes(of token: [UInt8]) -> [UInt8] {
        var bytes = token
        for step in steps {
            switch step {
            case .byteLevel: bytes = TokenText.byteLevel(bytes)
            case .byteFallback: if let byte = TokenText.fallbackByte(bytes) { return [byte] }
            case .replace(let replacement): bytes = replacement.apply(bytes)
            case .metaspace(let marker, _): bytes = TokenText.replace(marker, with: [0x20], in: bytes)
            case .wordPiece(let prefix, let cleansUp):
                bytes = TokenText.wordPiece(bytes, prefix: prefix, isFirst: false)
                if cleansUp { bytes = TokenText.cleanUp(bytes) }
            case .wordSuffix(let suffix): bytes = TokenText.replace(suffix, with: [0x20], in: bytes)
            case .joinWithSpaces: bytes = [0x20] + bytes
            case .ctc(let pad, let delimiter, _):
                bytes = TokenText.replace(delimiter, with: [0x20], in: TokenText.replace(pad, with: [], in: bytes))
            case .fuse, .strip: break
            }
        }
        return bytes
    }
}
