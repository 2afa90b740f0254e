public import Checkpoints

extension ChatTemplate {
    /// The messages of a chat request in the shape that this template reads, as vLLM's servers make it before rendering.
    ///
    /// Content becomes a string (text parts joined by line ends) or, for a template that loops over parts, a list of
    /// parts; content that is null becomes empty; tool calls' arguments become objects; unknown fields are dropped.
    /// Complexity: linear. Errors: `input`, naming the field by its path.
    public func normalised(messages: JSONValue) throws(TemplateError) -> JSONValue {
        guard case .array(let items) = messages else {
            throw TemplateError(.input, "messages: expected an array, got \(messages.kind)")
        }
        var result: [JSONValue] = []
        result.reserveCapacity(items.count)
        for (position, item) in items.enumerated() {
            let path = "messages[\(position)]"
            guard case .object(let message) = item else {
                throw TemplateError(.input, "\(path): expected an object, got \(item.kind)")
            }
            result.append(.object(try normalised(message, path)))
        }
        return .array(result)
    }

    private func normalised(_ message: JSONObject, _ path: String) throws(TemplateError) -> JSONObject {
        guard let role = message["role"]?.string else {
            throw TemplateError(
                .input, "\(path).role: expected a string, got \(message["role"]?.kind ?? "nothing")")
        }
        let parts = try MessageParts(message["content"] ?? .null, "\(path).content")
        var result: JSONObject = ["role": .string(role)]
        let isList = contentFormat == .openai
        // Few templates read a tool's result in parts, so its text is joined; as vLLM does, empty parts count there.
        let keepsParts = isList && (role != "tool" || !parts.isText)
        result["content"] = keepsParts ? .array(parts.objects) : .string(parts.joined(keepingEmpty: isList))
        switch role {
        case "assistant":
            if let calls = message["tool_calls"], !calls.isNull {
                result["tool_calls"] = try ChatTemplate.normalised(toolCalls: calls, "\(path).tool_calls")
            }
            let reasoning = ["reasoning", "reasoning_content", "thinking"].lazy.compactMap { message[$0] }
            if let reasoning = reasoning.first(where: { !$0.isNull }) {
                result["reasoning"] = reasoning
                result["reasoning_content"] = reasoning
            }
        case "tool": if let id = message["tool_call_id"] { result["tool_call_id"] = id }
        case "developer": result["tools"] = message["tools"] ?? .null
        default: break
        }
        if let name = message["name"], name.string != nil { result["name"] = name }
        return result
    }

    /// Tool calls with their arguments as objects; nil for an empty list, which templates would take for calls.
    private static func normalised(toolCalls: JSONValue, _ path: String) throws(TemplateError) -> JSONValue? {
        guard case .array(let calls) = toolCalls else {
            throw TemplateError(.input, "\(path): expected an array, got \(toolCalls.kind)")
        }
        if calls.isEmpty { return nil }
        var result: [JSONValue] = []
        for (position, call) in calls.enumerated() {
            guard case .object(var object) = call else {
                throw TemplateError(.input, "\(path)[\(position)]: expected an object, got \(call.kind)")
            }
            guard object["type"]?.string ?? "function" == "function", case .object(var function) = object["function"]
            else {
                throw TemplateError(
                    .input,
                    "\(path)[\(position)]: only tool calls of type \"function\" with a \"function\" object "
                        + "are supported")
            }
            function["arguments"] = arguments(function["arguments"])
            object["function"] = .object(function)
            result.append(.object(object))
        }
        return .array(result)
    }

    /// Whatever is not the text of an object becomes an empty object: a model's bad call must not end the conversation.
    private static func arguments(_ value: JSONValue?) -> JSONValue {
        switch value {
        case .object: value ?? .object([:])
        case .string(let text):
            (try? JSONValue(parsing: text)).flatMap { $0.object }.map { .object($0) } ?? .object([:])
        default: .object([:])
        }
    }
}

/// The parts of one message's content.
private struct MessageParts {
    /// Text, or a part of another type as an object.
    private enum Part {
        case text(String, extra: JSONObject)
        case reference(String)
    }

    private var parts: [Part] = []

    init(_ content: JSONValue, _ path: String) throws(TemplateError) {
        switch content {
        case .null: break
        case .string(let text): parts = [.text(text, extra: [:])]
        case .array(let items):
            for (position, item) in items.enumerated() {
                if let part = try MessageParts.part(item, "\(path)[\(position)]") { parts.append(part) }
            }
        default:
            throw TemplateError(.input, "\(path): expected a string or an array of parts, got \(content.kind)")
        }
    }

    /// Fields of the known part types; templates see only what a client adds beyond them.
    private static let knownFields: Set<String> = [
        "type", "text", "refusal", "thinking", "uuid", "image_url", "audio_url", "video_url", "input_audio", "file",
        "name", "closed", "detail",
    ]

    private static func part(_ value: JSONValue, _ path: String) throws(TemplateError) -> Part? {
        if case .string(let text) = value { return .text(text, extra: [:]) }
        guard case .object(let object) = value else {
            throw TemplateError(.input, "\(path): expected a string or an object, got \(value.kind)")
        }
        guard let type = object["type"]?.string else {
            throw TemplateError(.input, "\(path).type: expected a string, got \(object["type"]?.kind ?? "nothing")")
        }
        let field: String
        switch type {
        case "text", "input_text", "output_text": field = "text"
        case "refusal", "thinking": field = type
        case "tool_reference": field = "name"
        default:
            throw TemplateError(
                .input, "\(path).type: \"\(type)\" is not supported; this model takes parts of type \"text\"")
        }
        let content = object[field] ?? .null
        if content.isNull, type == "text" || type == "refusal" { return nil }
        guard let text = content.string else {
            throw TemplateError(.input, "\(path).\(field): expected a string, got \(content.kind)")
        }
        if type == "tool_reference" { return .reference(text) }
        return .text(
            text, extra: JSONObject(object.filter { !knownFields.contains($0.key) }.map { ($0.key, $0.value) }))
    }

    var isText: Bool {
        parts.allSatisfy { part in
            if case .text = part { true } else { false }
        }
    }

    /// All texts, joined by line ends.
    func joined(keepingEmpty: Bool) -> String {
        parts.map { part in
            switch part {
            case .text(let text, _), .reference(let text): text
            }
        }.filter { keepingEmpty || !$0.isEmpty }.joined(separator: "\n")
    }

    var objects: [JSONValue] {
        parts.map { part in
            switch part {
            case .reference(let name): return ["type": "tool_reference", "name": .string(name)]
            case .text(let text, let extra):
                var object: JSONObject = ["type": "text", "text": .string(text)]
                for (key, value) in extra { object[key] = value }
                return .object(object)
            }
        }
    }
}
