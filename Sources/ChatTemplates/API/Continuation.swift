import Checkpoints

/// `continue_final_message`: the prompt ends where the final message's content ends, by transformers' way of finding it.
///
/// A tag is appended to the content before rendering, and the rendering is cut at the tag.
struct Continuation {
    private static let tag = "CONTINUE_FINAL_MESSAGE_TAG "
    private let content: Text

    /// Tags the final one of `messages`. Errors: `input` when there is nothing to continue.
    init(_ messages: inout [JSONObject], template: ChatTemplate) throws(TemplateError) {
        guard var last = messages.last else {
            throw TemplateError(.input, "continue_final_message is set but the conversation is empty!")
        }
        guard let value = last["content"], !value.isNull else {
            throw TemplateError(
                .input, "continue_final_message is set but the final message has no \"content\" to continue!")
        }
        guard Text(template.source).contains("content") else {
            throw TemplateError(
                .input,
                "continue_final_message is set to \"content\" but this is not an accepted field in the chat_template")
        }
        switch value {
        case .string(let text):
            content = Text(text)
            last["content"] = .string(text + Continuation.tag)
        case .array(var parts):
            guard let position = parts.lastIndex(where: { $0["text"] != nil }),
                case .object(var part) = parts[position],
                let text = part["text"]?.string
            else {
                throw TemplateError(
                    .input,
                    "continue_final_message is set but we could not find any text to continue in the final message!")
            }
            content = Text(text)
            part["text"] = .string(text + Continuation.tag)
            parts[position] = .object(part)
            last["content"] = .array(parts)
        default:
            throw TemplateError(
                .input, "continue_final_message: the final message's content must be a string, got \(value.kind)")
        }
        messages[messages.count - 1] = last
    }

    /// The rendering up to the end of the final message's content.
    func cut(_ rendering: Text) throws(TemplateError) -> Text {
        let mark = Text(Continuation.tag).stripped()
        guard rendering.contains(content.stripped()),
            let position = rendering.lastByte(of: mark, before: rendering.bytes.count)
        else {
            throw TemplateError(
                .input,
                "continue_final_message is set but the final message does not appear in the chat after applying the "
                    + "chat template! This can happen if the chat template deletes portions of the final message. "
                    + "Please verify the chat template and final message in your chat to ensure they are compatible.")
        }
        let kept = rendering.slice(bytes: 0..<position)
        let end = position + mark.bytes.count
        let isPreserved = end < rendering.bytes.count && rendering.bytes[end] == 0x20
        return isPreserved ? kept : kept.strippedEnd()
    }
}
