import Checkpoints
import Engine
import Sampling
import Tokenizers

/// Results of `martlet generate` as JSON lines or as text.
struct ResultFormat {
    let tokenizer: Tokenizer

    /// One line: the prompt's place, its id if it has one, token counts, and the outputs.
    func json(_ result: GenerationResult, index: Int, id: JSONValue?) -> JSONObject {
        var object: JSONObject = ["index": .int(index)]
        object["id"] = id
        object["prompt_tokens"] = .int(result.promptTokens.count)
        object["cached_tokens"] = .int(result.cachedTokens)
        switch result.adapterUse {
        case .from(let start): object["adapter_start"] = .int(start)
        case .notInvoked: object["adapter_start"] = .null
        case nil: break
        }
        if result.virtualTokens > 0 { object["virtual_tokens"] = .int(result.virtualTokens) }
        object["outputs"] = .array(result.outputs.map { .object(json($0)) })
        if let logprobs = result.promptLogprobs {
            object["prompt_logprobs"] = .array(logprobs.map { $0.map(json) ?? .null })
        }
        return object
    }

    /// A prompt that failed.
    static func json(_ error: any Error, index: Int, id: JSONValue?) -> JSONObject {
        var object: JSONObject = ["index": .int(index)]
        object["id"] = id
        object["error"] = .string("\(error)")
        return object
    }

    private func json(_ output: CompletionOutput) -> JSONObject {
        var object: JSONObject = [
            "index": .int(output.index),
            "text": .string(output.text),
            "tokens": .array(output.tokens.map { .int(Int($0)) }),
            "finish_reason": output.finish.map { .string($0.reason.rawValue) } ?? .null,
        ]
        switch output.finish?.stopReason {
        case .string(let text)?: object["stop_reason"] = .string(text)
        case .token(let id)?: object["stop_reason"] = .int(Int(id))
        case nil: break
        }
        if !output.logprobs.isEmpty { object["logprobs"] = .array(output.logprobs.map(json)) }
        return object
    }

    private func json(_ position: PositionLogprobs) -> JSONValue {
        var object = json(position.chosen)
        object["top"] = .array(position.top.map { .object(json($0)) })
        return .object(object)
    }

    private func json(_ token: TokenLogprob) -> JSONObject {
        [
            "id": .int(Int(token.token)),
            "token": .string(tokenizer.decode([token.token], skipSpecialTokens: false)),
            "logprob": .double(Double(token.logprob)),
            "rank": .int(token.rank),
        ]
    }

    /// The texts of a result, each with a heading when there is more than one in all.
    static func text(_ result: GenerationResult, index: Int, promptCount: Int, terminal: Terminal) -> String {
        var text = ""
        for output in result.outputs {
            if let heading = heading(
                prompt: index, of: promptCount, choice: output.index, of: result.outputs.count)
            {
                text += terminal.dim(heading) + "\n"
            }
            text += output.text.hasSuffix("\n") ? output.text : output.text + "\n"
        }
        return text
    }

    /// `[2/5]`, `[choice 1/4]` or `[2/5, choice 1/4]`; nil for one text alone.
    static func heading(prompt: Int, of prompts: Int, choice: Int, of choices: Int) -> String? {
        var parts: [String] = []
        if prompts > 1 { parts.append("\(prompt + 1)/\(prompts)") }
        if choices > 1 { parts.append("choice \(choice + 1)/\(choices)") }
        return parts.isEmpty ? nil : "[" + parts.joined(separator: ", ") + "]"
    }
}
