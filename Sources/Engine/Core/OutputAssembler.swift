import Sampling
import Tokenizers

/// Turns the tokens of one choice into text and decides when the text or a token ends it.
struct OutputAssembler {
    /// What one token added.
    struct Step: Sendable {
        let text: String
        let finish: Finish?
    }

    private let parameters: SamplingParameters
    private let endTokens: Set<Int32>
    private let maxTokens: Int
    private var decoder: StreamingDecoder
    private var matcher: StopMatcher
    private var count = 0

    /// - Parameters:
    ///   - endTokens: the model's own end tokens.
    ///   - maxTokens: most tokens that the choice can have; at least 1.
    init(_ parameters: SamplingParameters, endTokens: Set<Int32>, maxTokens: Int, decoder: StreamingDecoder) {
        self.parameters = parameters
        self.endTokens = parameters.ignoreEOS ? [] : endTokens
        self.maxTokens = maxTokens
        self.decoder = decoder
        matcher = StopMatcher(parameters.stop, includesStop: parameters.includeStopStringInOutput)
    }

    mutating func append(_ token: Int32) -> Step {
        count += 1
        if let finish = finish(at: token) { return end(token, finish) }
        let piece = decoder.append(token)
        guard count > parameters.minTokens else { return limit(text: matcher.appendUnmatched(piece)) }
        let result = matcher.append(piece)
        if let stop = result.stop { return Step(text: result.text, finish: Finish(.stop, stopReason: .string(stop))) }
        return limit(text: result.text)
    }

    private func finish(at token: Int32) -> Finish? {
        if endTokens.contains(token) { return Finish(.stop) }
        return parameters.stopTokenIDs.contains(token) ? Finish(.stop, stopReason: .token(token)) : nil
    }

    /// The text of a token that ends the choice is not output, unless asked for (vLLM's rule).
    private mutating func end(_ token: Int32, _ finish: Finish) -> Step {
        var text = ""
        if parameters.includeStopStringInOutput { text += decoder.append(token) }
        text += decoder.finish()
        return Step(text: matcher.flush() + text, finish: finish)
    }

    private mutating func limit(text: String) -> Step {
        guard count >= maxTokens else { return Step(text: text, finish: nil) }
        let result = matcher.append(decoder.finish())
        if let stop = result.stop {
            return Step(text: text + result.text, finish: Finish(.stop, stopReason: .string(stop)))
        }
        return Step(text: text + result.text + matcher.flush(), finish: Finish(.length))
    }
}
