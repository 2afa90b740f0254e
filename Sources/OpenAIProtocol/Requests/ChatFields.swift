import Checkpoints

extension Fields {
    /// Names that the server itself gives to the template or that steer rendering.
    private static let reservedKwargs = [
        "messages", "tools", "documents", "chat_template", "add_generation_prompt", "continue_final_message",
        "tokenize", "return_dict", "return_tensors", "padding", "truncation", "max_length",
    ]

    /// The conversation of a chat or tokenize request.
    package func chat(_ limits: RequestLimits) throws(APIError) -> ChatInput {
        guard let messages = try objects("messages") else {
            throw .badRequest("messages: the field is required", parameter: "messages")
        }
        guard !messages.isEmpty else {
            throw .badRequest("messages: expected at least one message", parameter: "messages")
        }
        for message in messages { try message.checkMessage() }
        var chat = ChatInput(messages: .array(messages.map { .object($0.object) }))
        chat.tools = try tools()
        if let documents = try objects("documents") { chat.documents = .array(documents.map { .object($0.object) }) }
        chat.addGenerationPrompt = try bool("add_generation_prompt") ?? true
        chat.continueFinalMessage = try bool("continue_final_message") ?? false
        if chat.continueFinalMessage, chat.addGenerationPrompt {
            throw .badRequest(
                "Cannot set both `continue_final_message` and `add_generation_prompt` to True.",
                parameter: "continue_final_message")
        }
        chat.kwargs = try templateKwargs()
        chat.template = try string("chat_template")
        if chat.template != nil, !limits.trustsChatTemplates {
            throw .badRequest(
                "chat_template: a template in the request is refused unless the server runs with "
                    + "--trust-request-chat-template", parameter: "chat_template")
        }
        return chat
    }

    private func checkMessage() throws(APIError) {
        guard let role = try string("role") else {
            throw .badRequest("\(path(of: "role")): the field is required", parameter: path(of: "role"))
        }
        guard !role.isEmpty else {
            throw .badRequest("\(path(of: "role")): expected a name", parameter: path(of: "role"))
        }
        _ = try string("name")
        _ = try objects("tool_calls")
        guard let content = value("content") else {
            guard role == "assistant" || value("tool_calls") != nil else {
                throw .badRequest("\(path(of: "content")): the field is required", parameter: path(of: "content"))
            }
            return
        }
        switch content {
        case .string: return
        case .array(let parts):
            for (position, part) in parts.enumerated() { try checkPart(part, "\(path(of: "content"))[\(position)]") }
        default: throw Self.mismatch(path(of: "content"), "a string or an array", content)
        }
    }

    private func checkPart(_ part: JSONValue, _ path: String) throws(APIError) {
        if case .string = part { return }
        let fields = try Fields(part, path: path)
        switch try fields.string("type") {
        case "text", "input_text", "output_text", "refusal", "thinking": return
        case nil: throw .badRequest("\(path).type: the field is required", parameter: "\(path).type")
        case .some(let type):
            throw .badRequest(
                "\(path).type: this model takes text only, got \(APIError.quoted(type))", parameter: "\(path).type")
        }
    }

    private func tools() throws(APIError) -> JSONValue? {
        let tools = try objects("tools")
        for tool in tools ?? [] {
            guard let function = try tool.fields("function") else {
                throw .badRequest("\(tool.path).function: the field is required", parameter: "\(tool.path).function")
            }
            guard let name = try function.string("name"), !name.isEmpty else {
                throw .badRequest("\(function.path).name: the field is required", parameter: "\(function.path).name")
            }
            _ = try function.string("description")
            _ = try function.fields("parameters")
        }
        try checkToolChoice(hasTools: tools?.isEmpty == false)
        guard let tools, !tools.isEmpty else { return nil }
        return .array(tools.map { .object($0.object) })
    }

    private func checkToolChoice(hasTools: Bool) throws(APIError) {
        guard let choice = value("tool_choice") else { return }
        switch choice {
        case .string("none"): return
        case .string("auto"):
            guard hasTools else {
                throw .badRequest("When using `tool_choice`, `tools` must be set.", parameter: "tool_choice")
            }
        case .string("required"), .object:
            throw .badRequest(
                "tool_choice: forcing a tool call is not supported yet; use `auto` or `none`.",
                parameter: "tool_choice")
        case .string(let other):
            throw .badRequest(
                "tool_choice: expected `none`, `auto`, `required` or an object, got \(APIError.quoted(other))",
                parameter: "tool_choice")
        default: throw Self.mismatch("tool_choice", "a string or an object", choice)
        }
    }

    private func templateKwargs() throws(APIError) -> JSONObject {
        let given = try fields("chat_template_kwargs")
        var kwargs = given?.object ?? JSONObject()
        for key in Self.reservedKwargs where kwargs[key] != nil {
            throw .badRequest(
                "chat_template_kwargs.\(key): this name is reserved", parameter: "chat_template_kwargs")
        }
        if let effort = try string("reasoning_effort"), kwargs["reasoning_effort"] == nil {
            kwargs["reasoning_effort"] = .string(effort)
        }
        return kwargs
    }
}
