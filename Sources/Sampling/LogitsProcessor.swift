import CKernels

/// Everything that changes the logits of one sequence before a token is chosen, in vLLM's order: allowed tokens, bad
/// words, minimum length, bias, then repetition, frequency and presence penalties.
package struct LogitsProcessor: Sendable {
    private let parameters: SamplingParameters
    private let allowed: TokenMask?
    private let badWords: [[Int32]]
    /// Tokens that cannot be chosen before the minimum length: end and stop tokens.
    private let endTokens: [Int32]
    private let biasTokens: [Int32]
    private let biases: [Float]
    /// Tokens of prompt and output, for the repetition penalty.
    private var seen = TokenCounts()
    private var output = TokenCounts()

    /// - Parameters:
    ///   - badWords: token sequences that must not appear, each at least one token long.
    ///   - endTokens: the tokens that would end the request.
    package init(
        _ parameters: SamplingParameters, vocabularySize: Int, prompt: [Int32], badWords: [[Int32]], endTokens: [Int32]
    ) {
        self.parameters = parameters
        self.badWords = badWords
        self.endTokens = endTokens
        allowed = parameters.allowedTokenIDs.map { TokenMask(vocabularySize: vocabularySize, tokens: $0) }
        let biases = parameters.logitBias.sorted { $0.key < $1.key }
        biasTokens = biases.map(\.key)
        self.biases = biases.map(\.value)
        if parameters.repetitionPenalty != 1 { seen = TokenCounts(prompt) }
    }

    /// Whether `apply` would leave every row as it is.
    package var isIdentity: Bool {
        allowed == nil && badWords.isEmpty && biasTokens.isEmpty && parameters.minTokens == 0 && !hasPenalties
    }

    /// Whether `apply` looks at the output's tokens, not only at how many there are.
    package var readsOutput: Bool { !badWords.isEmpty }

    private var hasPenalties: Bool {
        parameters.repetitionPenalty != 1 || parameters.frequencyPenalty != 0 || parameters.presencePenalty != 0
    }

    /// Takes note of a token that the sequence generated.
    package mutating func record(_ token: Int32) {
        guard hasPenalties else { return }
        output.add(token)
        if parameters.repetitionPenalty != 1 { seen.add(token) }
    }

    /// Changes one row of logits in place. O(vocabulary) with a list of allowed tokens, else O(tokens seen).
    ///
    /// - Parameters:
    ///   - output: the tokens generated so far; only with `readsOutput` looked at.
    ///   - count: how many tokens were generated so far.
    package func apply(
        to logits: UnsafeMutableBufferPointer<Float>, output tokens: some BidirectionalCollection<Int32>, count: Int
    ) {
        guard let row = logits.baseAddress else { return }
        if let allowed { mk_apply_mask_bits(row, Int32(logits.count), allowed.words) }
        for word in badWords { forbidLast(of: word, after: tokens, logits) }
        if count < parameters.minTokens {
            for token in endTokens { forbid(token, logits) }
        }
        mk_add_at(row, Int32(logits.count), biasTokens, biases, Int32(biasTokens.count))
        applyPenalties(row, Int32(logits.count))
    }

    private func applyPenalties(_ row: UnsafeMutablePointer<Float>, _ width: Int32) {
        if parameters.repetitionPenalty != 1 {
            mk_repetition_penalty(
                row, width, seen.tokens, Int32(seen.tokens.count), Float(parameters.repetitionPenalty))
        }
        if parameters.frequencyPenalty != 0 || parameters.presencePenalty != 0 {
            mk_count_penalty(
                row, width, output.tokens, output.counts, Int32(output.tokens.count),
                Float(parameters.frequencyPenalty), Float(parameters.presencePenalty))
        }
    }

    /// Forbids the last token of `word` when the output ends with the tokens before it.
    private func forbidLast(
        of word: [Int32], after tokens: some BidirectionalCollection<Int32>,
        _ logits: UnsafeMutableBufferPointer<Float>
    ) {
        guard let last = word.last, tokens.count >= word.count - 1 else { return }
        if tokens.suffix(word.count - 1).elementsEqual(word.dropLast()) { forbid(last, logits) }
    }

    private func forbid(_ token: Int32, _ logits: UnsafeMutableBufferPointer<Float>) {
        if token >= 0, Int(token) < logits.count { logits[Int(token)] = -.infinity }
    }
}
