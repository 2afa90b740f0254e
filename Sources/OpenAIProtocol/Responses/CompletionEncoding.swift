import Engine
import Sampling

/// What both completion encoders know of their request.
package struct CompletionEncoding: Sendable {
    let head: ResponseHead
    let options: ResponseOptions
    let prompts: [PreparedPrompt]
    let echo: Bool
    let echoOnly: Bool
    let names: TokenNames

    package init(
        _ head: ResponseHead, _ request: CompletionRequest, _ prompts: [PreparedPrompt], _ text: any TextService
    ) {
        self.head = head
        options = request.options
        self.prompts = prompts
        echo = request.echo
        echoOnly = request.echoOnly
        names = TokenNames(
            text, asIDs: options.tokensAsIDs, skipsSpecial: request.sampling.skipSpecialTokens)
    }

    /// Choices of each prompt.
    var n: Int { prompts.first?.sampling.n ?? 1 }
    var wantsLogprobs: Bool { prompts.first?.sampling.logprobs != nil }

    /// The place of a choice in the response, or nil when there is none.
    func position(prompt: Int, index: Int) -> Int? {
        prompts.indices.contains(prompt) && (0..<n).contains(index) ? prompt * n + index : nil
    }

    func echoed(_ prompt: Int) -> String { prompts[prompt].echo ?? "" }
}
