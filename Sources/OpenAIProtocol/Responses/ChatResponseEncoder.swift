import Engine
import Sampling

/// The one object of a chat completion that is not streamed.
package struct ChatResponseEncoder: EventEncoder {
    package private(set) var usage = Usage()
    private let encoding: ChatEncoding
    private var choices: [ChoiceCollector]
    private var promptLogprobs: [PositionLogprobs?]?

    package init(_ encoding: ChatEncoding) {
        self.encoding = encoding
        choices = Array(
            repeating: ChoiceCollector(text: encoding.prompt.echo ?? ""), count: encoding.choices)
    }

    package mutating func append(_ event: GenerationEvent, prompt: Int) -> [UInt8] {
        switch event {
        case .started(let report):
            usage.add(report)
            promptLogprobs = report.logprobs
        case .delta(let delta):
            usage.completionTokens += delta.tokens.count
            if choices.indices.contains(delta.index) { choices[delta.index].append(VisibleDelta(delta)) }
        }
        return []
    }

    package mutating func finish() -> [UInt8] {
        var json = JSONBuffer(encoding.head.opening(object: "chat.completion"))
        for (index, choice) in choices.enumerated() {
            if index > 0 { json.raw(",") }
            append(choice, index, to: &json)
        }
        json.raw(#"],"usage":"#)
        usage.append(to: &json)
        if let promptLogprobs {
            json.raw(#","prompt_logprobs":"#)
            json.promptLogprobs(promptLogprobs, encoding.names)
        }
        if encoding.options.returnTokenIDs {
            json.raw(#","prompt_token_ids":"#)
            json.integers(encoding.prompt.tokens)
        }
        json.raw("}")
        return json.bytes
    }

    private func append(_ choice: ChoiceCollector, _ index: Int, to json: inout JSONBuffer) {
        json.raw(#"{"index":"#)
        json.integer(index)
        json.raw(#","message":{"role":"assistant","content":"#)
        json.string(choice.text)
        json.raw(#","refusal":null},"logprobs":"#)
        if let top = encoding.topLogprobs {
            json.chatLogprobs(choice.logprobs, top: top, encoding.names)
        } else {
            json.raw("null")
        }
        json.finish(choice.finish)
        if encoding.options.returnTokenIDs {
            json.raw(#","token_ids":"#)
            json.integers(choice.tokens)
        }
        json.raw("}")
    }
}
