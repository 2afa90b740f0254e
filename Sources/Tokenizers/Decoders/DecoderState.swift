/// One step of a decoder at work: takes tokens, hands on tokens, and keeps what is not certain yet.
///
/// Behind a step that fuses all tokens into one, the parts that arrive are parts of a single token.
struct DecoderState: Sendable {
    private let step: DecoderPlan.Step
    private let isFused: Bool
    private var index = 0
    private var held: [UInt8] = []
    private var hasHeld = false
    private var stripped = 0
    private var utf8 = LossyUTF8()

    private static let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]

    init(_ step: DecoderPlan.Step, isFused: Bool) {
        self.step = step
        self.isFused = isFused
    }

    /// The states of a plan's steps.
    static func states(_ plan: DecoderPlan) -> [DecoderState] {
        var isFused = false
        return plan.steps.map { step in
            defer {
                switch step {
                case .fuse, .byteLevel: isFused = true
                default: break
                }
            }
            return DecoderState(step, isFused: isFused)
        }
    }

    /// Takes a token, or a part of the only one; calls `next` for what it can hand on.
    mutating func push(_ token: [UInt8], _ next: ([UInt8]) -> Void) {
        if isFused { pushPart(token, next) } else { pushToken(token, next) }
        index += 1
    }

    /// The end of all tokens: hands on what is left.
    mutating func finish(_ next: ([UInt8]) -> Void) {
        if isFused { finishPart(next) } else { finishTokens(next) }
    }

    // MARK: Tokens

    private mutating func pushToken(_ token: [UInt8], _ next: ([UInt8]) -> Void) {
        switch step {
        case .byteLevel:
            var output: [UInt8] = []
            utf8.append(TokenText.byteLevel(token), to: &output)
            if !output.isEmpty { next(output) }
        case .byteFallback:
            if let byte = TokenText.fallbackByte(token) {
                held.append(byte)
            } else {
                flushBytes(next)
                next(token)
            }
        case .fuse: if !token.isEmpty { next(token) }
        case .strip(let content, let start, let stop):
            next(TokenText.strip(token, content, start: start, stop: stop))
        case .replace(let replacement): next(replacement.apply(token))
        case .metaspace(let marker, let dropsFirst):
            next(TokenText.replace(marker, with: index == 0 && dropsFirst ? [] : [0x20], in: token))
        case .wordPiece(let prefix, let cleansUp):
            let text = TokenText.wordPiece(token, prefix: prefix, isFirst: index == 0)
            next(cleansUp ? TokenText.cleanUp(text) : text)
        case .wordSuffix(let suffix):
            // The last token loses its suffix, all others end with a space: one token waits to know.
            if hasHeld { next(TokenText.replace(suffix, with: [0x20], in: held)) }
            held = token
            hasHeld = true
        case .ctc(let pad, let delimiter, let cleansUp):
            guard !hasHeld || held != token else { return }
            held = token
            hasHeld = true
            let text = Self.ctc(token, pad, delimiter, cleansUp)
            if !text.isEmpty { next(text) }
        case .joinWithSpaces: next(index == 0 ? token : [0x20] + token)
        }
    }

    private static func ctc(_ token: [UInt8], _ pad: [UInt8], _ delimiter: [UInt8], _ cleansUp: Bool) -> [UInt8] {
        let text = TokenText.replace(pad, with: [], in: token)
        return cleansUp ? TokenText.replace(delimiter, with: [0x20], in: TokenText.cleanUp(text)) : text
    }

    private mutating func finishTokens(_ next: ([UInt8]) -> Void) {
        switch step {
        case .byteLevel:
            var output: [UInt8] = []
            utf8.finish(to: &output)
            if !output.isEmpty { next(output) }
        case .byteFallback: flushBytes(next)
        case .wordSuffix(let suffix): if hasHeld { next(TokenText.replace(suffix, with: [], in: held)) }
        default: break
        }
    }

    /// A run of byte tokens: their text if it is UTF-8 as a whole, else one U+FFFD for each.
    private mutating func flushBytes(_ next: ([UInt8]) -> Void) {
        guard !held.isEmpty else { return }
        if String(validating: held, as: UTF8.self) != nil {
            next(held)
        } else {
            for _ in held { next(Self.replacement) }
        }
        held.removeAll(keepingCapacity: true)
    }

    // MARK: Parts of one token

    private mutating func pushPart(_ part: [UInt8], _ next: ([UInt8]) -> Void) {
        switch step {
        case .fuse, .joinWithSpaces: next(part)
        case .metaspace(let marker, let dropsFirst):
            next(TokenText.replace(marker, with: dropsFirst ? [] : [0x20], in: part))
        case .strip(let content, let start, let stop):
            held += part
            stripFront(content, limit: start)
            release(keeping: stop > 0 ? trailing(content, limit: stop) : 0, next)
        case .wordSuffix, .replace, .byteLevel, .byteFallback, .wordPiece, .ctc: held += part
        }
    }

    /// Cuts `content` from the front as long as nothing else has come.
    private mutating func stripFront(_ content: [UInt8], limit: Int) {
        while stripped < limit, held.starts(with: content) {
            held.removeFirst(content.count)
            stripped += 1
        }
        if !held.isEmpty { stripped = limit }
    }

    /// How many bytes at the end are up to `limit` times `content`.
    private func trailing(_ content: [UInt8], limit: Int) -> Int {
        var count = 0
        while count < limit, held.dropLast(count * content.count).suffix(content.count).elementsEqual(content) {
            count += 1
        }
        return count * content.count
    }

    private mutating func release(keeping count: Int, _ next: ([UInt8]) -> Void) {
        guard held.count > count else { return }
        next(Array(held.dropLast(count)))
        held.removeFirst(held.count - count)
    }

    private mutating func finishPart(_ next: ([UInt8]) -> Void) {
        guard !held.isEmpty else { return }
        switch step {
        case .strip, .fuse, .joinWithSpaces, .metaspace: break
        case .wordSuffix(let suffix): next(TokenText.replace(suffix, with: [], in: held))
        case .replace(let replacement): next(replacement.apply(held))
        case .byteLevel: next(Array(String(decoding: TokenText.byteLevel(held), as: UTF8.self).utf8))
        case .byteFallback:
            if let byte = TokenText.fallbackByte(held) {
                next(byte < 0x80 ? [byte] : Self.replacement)
            } else {
                next(held)
            }
        case .wordPiece(_, let cleansUp): next(cleansUp ? TokenText.cleanUp(held) : held)
        case .ctc(let pad, let delimiter, let cleansUp): next(Self.ctc(held, pad, delimiter, cleansUp))
        }
        held.removeAll()
    }
}
