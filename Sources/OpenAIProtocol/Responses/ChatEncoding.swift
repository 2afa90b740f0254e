import Sampling

/// What both chat encoders know of their request.
package struct ChatEncoding: Sendable {
    let head: ResponseHead
    let options: ResponseOptions
    let prompt: PreparedPrompt
    let names: TokenNames

    package init(_ head: ResponseHead, _ options: ResponseOptions, _ prompt: PreparedPrompt, _ text: any TextService) {
        self.head = head
        self.options = options
        self.prompt = prompt
        names = TokenNames(
            text, asIDs: options.tokensAsIDs, skipsSpecial: prompt.sampling.skipSpecialTokens)
    }

    var choices: Int { prompt.sampling.n }
    var topLogprobs: Int? { prompt.sampling.logprobs }
}
