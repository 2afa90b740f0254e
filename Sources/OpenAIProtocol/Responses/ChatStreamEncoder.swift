import Engine
import Sampling

/// Chunks of a streaming chat completion.
package struct ChatStreamEncoder: EventEncoder {
    package private(set) var usage = Usage()
    private let encoding: ChatEncoding
    /// `data: ` and the start of every chunk.
    private let opening: [UInt8]
    /// Tokens of each choice, for `continuous_usage_stats`.
    private var generated: [Int]

    package init(_ encoding: ChatEncoding) {
        self.encoding = encoding
        opening = ServerSentEvents.start + encoding.head.opening(object: "chat.completion.chunk")
        generated = Array(repeating: 0, count: encoding.choices)
    }

    package mutating func append(_ event: GenerationEvent, prompt: Int) -> [UInt8] {
        switch event {
        case .started(let report):
            usage.add(report)
            return roles()
        case .delta(let delta): return chunk(delta)
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

    /// A first chunk for each choice, with its role.
    private func roles() -> [UInt8] {
        var json = JSONBuffer()
        for index in 0..<encoding.choices {
            json.raw(opening)
            json.raw(#"{"index":"#)
            json.integer(index)
            json.raw(#","delta":{"role":"assistant","content":"#)
            json.string(encoding.prompt.echo ?? "")
            json.raw(#"},"logprobs":null,"finish_reason":null}]"#)
            if encoding.options.returnTokenIDs, index == 0 {
                json.raw(#","prompt_token_ids":"#)
                json.integers(encoding.prompt.tokens)
            }
            close(&json, index: index)
        }
        return json.bytes
    }

    private mutating func chunk(_ delta: GenerationDelta) -> [UInt8] {
        usage.completionTokens += delta.tokens.count
        if generated.indices.contains(delta.index) { generated[delta.index] += delta.tokens.count }
        let carriesTokens =
            !delta.tokens.isEmpty && (encoding.options.returnTokenIDs || encoding.topLogprobs != nil)
        guard !delta.text.isEmpty || delta.finish != nil || carriesTokens else { return [] }

        var json = JSONBuffer(opening)
        json.raw(#"{"index":"#)
        json.integer(delta.index)
        json.raw(#","delta":{"content":"#)
        json.string(delta.text)
        json.raw(#"},"logprobs":"#)
        if let top = encoding.topLogprobs, !delta.logprobs.isEmpty {
            json.chatLogprobs(delta.logprobs, top: top, encoding.names)
        } else {
            json.raw("null")
        }
        json.finish(delta.finish)
        if encoding.options.returnTokenIDs {
            json.raw(#","token_ids":"#)
            json.integers(delta.tokens)
        }
        json.raw("}]")
        close(&json, index: delta.index)
        return json.bytes
    }

    private func close(_ json: inout JSONBuffer, index: Int) {
        if encoding.options.continuousUsage {
            var current = usage
            current.completionTokens = generated.indices.contains(index) ? generated[index] : 0
            json.raw(#","usage":"#)
            current.append(to: &json)
        }
        json.raw("}\n\n")
    }
}
