import Engine
import Sampling

/// Chunks of a streaming text completion.
package struct CompletionStreamEncoder: EventEncoder {
    package private(set) var usage = Usage()
    private let encoding: CompletionEncoding
    /// `data: ` and the start of every chunk.
    private let opening: [UInt8]
    private var logprobs: [CompletionLogprobs]
    private var prompts: [Usage]
    private var generated: [Int]

    package init(_ encoding: CompletionEncoding) {
        self.encoding = encoding
        opening = ServerSentEvents.start + encoding.head.opening(object: "text_completion")
        let choices = encoding.prompts.count * encoding.n
        logprobs = Array(repeating: CompletionLogprobs(encoding.names), count: choices)
        prompts = Array(repeating: Usage(), count: encoding.prompts.count)
        generated = Array(repeating: 0, count: choices)
    }

    package mutating func append(_ event: GenerationEvent, prompt: Int) -> [UInt8] {
        guard encoding.prompts.indices.contains(prompt) else { return [] }
        switch event {
        case .started(let report):
            usage.add(report)
            prompts[prompt].add(report)
            return openings(prompt, report)
        case .delta(let delta): return chunk(VisibleDelta(delta, echoOnly: encoding.echoOnly), prompt: prompt)
        }
    }

    package mutating func finish() -> [UInt8] {
        guard encoding.options.includeUsage else { return ServerSentEvents.done }
        var json = JSONBuffer(opening)
        json.raw(#"],"usage":"#)
        usage.append(to: &json)
        json.raw("}\n\n")
        json.raw(ServerSentEvents.done)
        return json.bytes
    }

    /// The echoed prompt of each choice, or its token ids; nothing when neither is wanted.
    private mutating func openings(_ prompt: Int, _ report: PromptReport) -> [UInt8] {
        guard encoding.echo || encoding.options.returnTokenIDs else { return [] }
        var json = JSONBuffer()
        let tokens = encoding.prompts[prompt].tokens
        for index in 0..<encoding.n {
            guard let position = encoding.position(prompt: prompt, index: index) else { continue }
            begin(&json, position, encoding.echoed(prompt))
            if encoding.echo, encoding.wantsLogprobs, let values = report.logprobs {
                for (token, value) in zip(tokens, values) { logprobs[position].append(token, value) }
                logprobs[position].flush(to: &json)
            } else {
                json.raw("null")
            }
            json.finish(nil)
            if encoding.options.returnTokenIDs {
                json.raw(#","prompt_token_ids":"#)
                json.integers(tokens)
                json.raw(#","token_ids":[]"#)
            }
            close(&json, prompt, position)
        }
        return json.bytes
    }

    private mutating func chunk(_ delta: VisibleDelta, prompt: Int) -> [UInt8] {
        guard let position = encoding.position(prompt: prompt, index: delta.index) else { return [] }
        usage.completionTokens += delta.tokens.count
        generated[position] += delta.tokens.count
        let carriesTokens = !delta.tokens.isEmpty && (encoding.options.returnTokenIDs || encoding.wantsLogprobs)
        guard !delta.text.isEmpty || delta.finish != nil || carriesTokens else { return [] }

        var json = JSONBuffer()
        begin(&json, position, delta.text)
        if encoding.wantsLogprobs, !delta.logprobs.isEmpty {
            for (token, value) in zip(delta.tokens, delta.logprobs) { logprobs[position].append(token, value) }
            logprobs[position].flush(to: &json)
        } else {
            json.raw("null")
        }
        json.finish(delta.finish)
        if encoding.options.returnTokenIDs {
            json.raw(#","token_ids":"#)
            json.integers(delta.tokens)
        }
        close(&json, prompt, position)
        return json.bytes
    }

    private func begin(_ json: inout JSONBuffer, _ position: Int, _ text: String) {
        json.raw(opening)
        json.raw(#"{"index":"#)
        json.integer(position)
        json.raw(#","text":"#)
        json.string(text)
        json.raw(#","logprobs":"#)
    }

    private func close(_ json: inout JSONBuffer, _ prompt: Int, _ position: Int) {
        json.raw("}]")
        if encoding.options.continuousUsage {
            var current = prompts[prompt]
            current.completionTokens = generated[position]
            json.raw(#","usage":"#)
            current.append(to: &json)
        }
        json.raw("}\n\n")
    }
}
