/// Text from ids that arrive one by one: what is handed out is final and never ends within a character.
///
/// All parts together are exactly what `Tokenizer.decode` makes of the same ids; with a prompt, what it makes of prompt
/// and ids, less the text that was certain after the prompt. So a SentencePiece token in the middle of a text keeps its
/// space. A run of byte tokens is held until it ends, as the bytes decide together whether they are text.
public struct StreamingDecoder: Sendable {
    private let tokenizer: Tokenizer
    private let skipSpecialTokens: Bool
    private let isPlainByteLevel: Bool
    private var utf8 = LossyUTF8()
    private var states: [DecoderState]
    /// Bytes on their way out; kept for its memory.
    private var buffer: [UInt8] = []

    /// `prompt` are the ids before the first that will be appended; its last few are enough if there are many.
    public init(tokenizer: Tokenizer, skipSpecialTokens: Bool, prompt: [Int32] = []) {
        self.tokenizer = tokenizer
        self.skipSpecialTokens = skipSpecialTokens
        isPlainByteLevel = tokenizer.parts.decoder.isPlainByteLevel
        states = isPlainByteLevel ? [] : DecoderState.states(tokenizer.parts.decoder)
        for id in prompt { _ = append(id) }
    }

    /// Takes the next id; returns the text that is certain now.
    public mutating func append(_ id: Int32) -> String {
        var text = buffer
        buffer = []
        defer { buffer = text }
        text.removeAll(keepingCapacity: true)
        append(id, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Ends the text; returns what was held back.
    public mutating func finish() -> String {
        var text: [UInt8] = []
        finish(to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    mutating func append(_ id: Int32, to text: inout [UInt8]) {
        if skipSpecialTokens, tokenizer.isSkipped(id) { return }
        if isPlainByteLevel {
            tokenizer.withDecodedBytes(of: id) { utf8.append($0, to: &text) }
        } else if let token = tokenizer.decodedSpelling(of: id) {
            states.withUnsafeMutableBufferPointer { Self.push(token, 0, $0, &text) }
        }
    }

    mutating func finish(to text: inout [UInt8]) {
        utf8.finish(to: &text)
        states.withUnsafeMutableBufferPointer { states in
            for index in states.indices { states[index].finish { Self.push($0, index + 1, states, &text) } }
        }
    }

    /// Sends a token through the steps from `index` on.
    ///
    /// Through a pointer, as the steps behind one are at work while that one hands on.
    static func push(
        _ token: [UInt8], _ index: Int, _ states: UnsafeMutableBufferPointer<DecoderState>, _ text: inout [UInt8]
    ) {
        guard index < states.count else {
            text += token
            return
        }
        states[index].push(token) { push($0, index + 1, states, &text) }
    }
}
