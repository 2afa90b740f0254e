import Checkpoints

/// A chat template: Jinja source, parsed once, that turns messages into a prompt.
///
/// It renders as transformers' `render_jinja_template` does, byte for byte. The template and the input may be hostile:
/// every rendering keeps within ``TemplateLimits``. A template is a value without shared state, so many requests can
/// render it at the same time.
public struct ChatTemplate: Sendable {
    /// The source that was parsed.
    public let source: String
    /// How the template reads a message's `content`.
    public let contentFormat: ContentFormat
    let limits: TemplateLimits
    private let program: Program

    /// Parses `source`. O(length). Errors: `syntax`, `unsupported` or `limit`, with the line.
    public init(_ source: String, limits: TemplateLimits = .default) throws(TemplateError) {
        guard source.utf8.count <= limits.sourceBytes else {
            throw TemplateError(
                .limit,
                "the template has \(source.utf8.count) bytes, more than the \(limits.sourceBytes) allowed (limit sourceBytes)"
            )
        }
        var parser = Parser(try Lexer.tokens(of: source), limits: limits)
        let body = try parser.template()
        program = try Resolver.program(body, names: parser.nameCount, scopes: parser.scopeCount, limits: limits)
        contentFormat = ContentFormat(of: body)
        self.source = source
        self.limits = limits
    }

    /// The prompt for `input`. Errors: `raised` with the template's own message, or any other kind.
    public func render(_ input: TemplateInput) throws(TemplateError) -> String {
        var messages = try ChatTemplate.messages(of: input)
        var continuation: Continuation?
        if input.continueFinalMessage { continuation = try Continuation(&messages, template: self) }
        var context = MappingTable()
        for (name, token) in input.specialTokens { context.set(.string(token), for: Text(name)) }
        for (name, value) in input.kwargs {
            guard !ChatTemplate.reservedNames.contains(name) else {
                throw TemplateError(
                    .input, "chat_template_kwargs cannot set '\(name)': it is an argument of the rendering itself")
            }
            context.set(Value(value), for: Text(name))
        }
        context.set(.list(messages.map { Value(.object($0)) }), for: "messages")
        context.set(try ChatTemplate.objects(input.tools, "tools"), for: "tools")
        context.set(try ChatTemplate.objects(input.documents, "documents"), for: "documents")
        context.set(.bool(input.addGenerationPrompt), for: "add_generation_prompt")
        let interpreter = Interpreter(program, context: context, limits: limits, now: input.now)
        let rendering = Text(utf8: try interpreter.run())
        return try continuation?.cut(rendering).string ?? rendering.string
    }

    /// Names that decide how a rendering is made, so that a request cannot smuggle them in as template variables.
    static let reservedNames: Set<String> = [
        "conversation", "conversations", "messages", "tools", "documents", "chat_template", "tokenize",
        "add_generation_prompt", "continue_final_message", "return_assistant_tokens_mask", "return_tensors",
        "return_dict", "padding", "truncation", "max_length", "tokenizer_kwargs",
    ]

    private static func messages(of input: TemplateInput) throws(TemplateError) -> [JSONObject] {
        guard case .array(let messages) = input.messages else {
            throw TemplateError(.input, "messages: expected an array, got \(input.messages.kind)")
        }
        var objects: [JSONObject] = []
        for (position, message) in messages.enumerated() {
            guard case .object(let object) = message else {
                throw TemplateError(.input, "messages[\(position)]: expected an object, got \(message.kind)")
            }
            objects.append(aliasingReasoning(object))
        }
        return objects
    }

    static let reasoningFields = ["reasoning_content", "thinking", "reasoning"]

    /// Gives a message's reasoning all the names that templates read it by.
    private static func aliasingReasoning(_ message: JSONObject) -> JSONObject {
        let given = reasoningFields.lazy.compactMap { message[$0] }.first { !$0.isNull }
        guard let reasoning = given else { return message }
        var result = JSONObject()
        result["thinking"] = reasoning
        for (key, value) in message { result[key] = value }
        result["reasoning_content"] = reasoning
        return result
    }

    private static func objects(_ value: JSONValue?, _ name: String) throws(TemplateError) -> Value {
        switch value {
        case .none, .some(.null): return .none
        case .some(.array(let items)):
            for (position, item) in items.enumerated() where item.object == nil {
                throw TemplateError(.input, "\(name)[\(position)]: expected an object, got \(item.kind)")
            }
            return Value(.array(items))
        case .some(let other): throw TemplateError(.input, "\(name): expected an array, got \(other.kind)")
        }
    }
}

extension Value {
    /// The Python value that `json.loads` would make.
    init(_ json: JSONValue) {
        switch json {
        case .null: self = .none
        case .bool(let value): self = .bool(value)
        case .int(let value): self = .int(value)
        case .double(let value): self = .double(value)
        case .string(let value): self = .string(Text(value))
        case .array(let values): self = .list(values.map { Value($0) })
        case .object(let object): self = .dict(Mapping(MappingTable(object.map { (Text($0.key), Value($0.value)) })))
        }
    }
}
