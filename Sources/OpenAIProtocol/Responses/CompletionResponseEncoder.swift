import Engine
import Sampling

/// The one object of a text completion that is not streamed.
package struct CompletionResponseEncoder: EventEncoder {
    package private(set) var usage = Usage()
    private let encoding: CompletionEncoding
    private var choices: [ChoiceCollector] = []
    private var promptLogprobs: [[PositionLogprobs?]?]

    package init(_ encoding: CompletionEncoding) {
        self.encoding = encoding
        for prompt in encoding.prompts.indices {
            choices += Array(
                repeating: ChoiceCollector(text: encoding.echoed(prompt)), count: encoding.n)
        }
        promptLogprobs = Array(repeating: nil, count: encoding.prompts.count)
    }

    package mutating func append(_ event: GenerationEvent, prompt: Int) -> [UInt8] {
        guard encoding.prompts.indices.contains(prompt) else { return [] }
        switch event {
        case .started(let report):
            usage.add(report)
            promptLogprobs[prompt] = report.logprobs
        case .delta(let delta):
            let delta = VisibleDelta(delta, echoOnly: encoding.echoOnly)
            guard let position = encoding.position(prompt: prompt, index: delta.index) else { return [] }
            usage.completionTokens += delta.tokens.count
            choices[position].append(delta)
        }
        return []
    }

    package mutating func finish() -> [UInt8] {
        var json = JSONBuffer(encoding.head.opening(object: "text_completion"))
        for position in choices.indices {
            if position > 0 { json.raw(",") }
            append(position, to: &json)
        }
        json.raw(#"],"usage":"#)
        usage.append(to: &json)
        json.raw("}")
        return json.bytes
    }

    private func append(_ position: Int, to json: inout JSONBuffer) {
        let choice = choices[position]
        let prompt = position / encoding.n
        json.raw(#"{"index":"#)
        json.integer(position)
        json.raw(#","text":"#)
        json.string(choice.text)
        json.raw(#","logprobs":"#)
        if encoding.wantsLogprobs {
            appendLogprobs(choice, prompt, to: &json)
        } else {
            json.raw("null")
        }
        json.finish(choice.finish)
        if let values = promptLogprobs[prompt] {
            json.raw(#","prompt_logprobs":"#)
            json.promptLogprobs(values, encoding.names)
        }
        if encoding.options.returnTokenIDs {
            json.raw(#","prompt_token_ids":"#)
            json.integers(encoding.prompts[prompt].tokens)
            json.raw(#","token_ids":"#)
            json.integers(choice.tokens)
        }
        json.raw("}")
    }

    private func appendLogprobs(_ choice: ChoiceCollector, _ prompt: Int, to json: inout JSONBuffer) {
        var logprobs = CompletionLogprobs(encoding.names)
        if encoding.echo, let values = promptLogprobs[prompt] {
            for (token, value) in zip(encoding.prompts[prompt].tokens, values) { logprobs.append(token, value) }
        }
        for (token, value) in zip(choice.tokens, choice.logprobs) { logprobs.append(token, value) }
        logprobs.flush(to: &json)
    }
}
