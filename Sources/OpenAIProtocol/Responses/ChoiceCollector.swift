import Engine
import Sampling

/// New output of a choice as the client sees it.
struct VisibleDelta: Sendable {
    let index: Int
    let text: String
    let tokens: [Int32]
    let logprobs: [PositionLogprobs]
    let finish: Finish?

    /// With `echoOnly`, the one token that had to be generated is left out.
    init(_ delta: GenerationDelta, echoOnly: Bool = false) {
        index = delta.index
        text = echoOnly ? "" : delta.text
        tokens = echoOnly ? [] : delta.tokens
        logprobs = echoOnly ? [] : delta.logprobs
        finish = echoOnly ? delta.finish.map { _ in Finish(.length) } : delta.finish
    }
}

/// Everything that one choice generated.
struct ChoiceCollector: Sendable {
    var text: String
    var tokens: [Int32] = []
    var logprobs: [PositionLogprobs] = []
    var finish: Finish?

    init(text: String = "") { self.text = text }

    mutating func append(_ delta: VisibleDelta) {
        text += delta.text
        tokens += delta.tokens
        logprobs += delta.logprobs
        finish = delta.finish ?? finish
    }
}
