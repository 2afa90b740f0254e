import ArgumentParser
import ChatTemplates
import Checkpoints
import DemoModel

/// `martlet render`: a chat template in a pipe.
struct RenderCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "render",
        abstract: "Render conversations with a chat template, as JSON lines.",
        discussion: """
            Reads one JSON object in each line of standard input and answers each with one line at once, \
            {"output": "…"} or {"error": "…"}. Members of a line: messages (needed), tools, documents, \
            add_generation_prompt (false when left out), continue_final_message, chat_template_kwargs, \
            special_tokens (names and texts, over the model's), and now ("2026-01-15 09:30:00", or seconds since \
            1970), the time that the template sees. Messages reach the template as they are, as in transformers; \
            the server first normalises them as vLLM does.

            EXAMPLES
              echo '{"messages": [{"role": "user", "content": "Hi"}]}' | martlet render
              martlet render ~/models/llama < conversations.jsonl
              martlet render --chat-template my.jinja < conversations.jsonl
            """)

    @OptionGroup var model: ModelArguments

    @Option(
        name: .customLong("chat-template"),
        help: ArgumentHelp("Chat template in place of the model's own: a file, or its text.", valueName: "template"))
    var chatTemplate: String?

    func run() throws {
        let source = try source()
        let template = try ChatTemplate(source.template)
        JSONLineLoop.run { line in
            ["output": .string(try template.render(try Self.input(line, specialTokens: source.specialTokens)))]
        }
    }

    private func source() throws -> (template: String, specialTokens: [String: String]) {
        if let chatTemplate, model.model == nil { return (try ChatTemplateArgument.text(chatTemplate), [:]) }
        let folder =
            try model.model.map { try ModelLocation.resolve($0, required: "tokenizer_config.json") }
            ?? DemoModelFolder.locate().base
        let config = try TokenizerConfig(folder: folder)
        guard let template = try chatTemplate.map(ChatTemplateArgument.text) ?? config.chatTemplate else {
            throw CommandError("\(folder) has no chat template; name one with --chat-template FILE.")
        }
        return (template, config.specialTokens)
    }

    static func input(_ line: JSONObject, specialTokens: [String: String]) throws -> TemplateInput {
        let messages = try line.required("messages", "a list of messages", \.array)
        return TemplateInput(
            messages: .array(messages),
            tools: try line.optional("tools", "a list", \.array).map(JSONValue.array),
            documents: try line.optional("documents", "a list", \.array).map(JSONValue.array),
            addGenerationPrompt: try line.optional("add_generation_prompt", "true or false", \.bool) ?? false,
            continueFinalMessage: try line.optional("continue_final_message", "true or false", \.bool) ?? false,
            kwargs: try line.optional("chat_template_kwargs", "an object", \.object) ?? [:],
            specialTokens: try Self.specialTokens(line, over: specialTokens),
            now: try line["now"].flatMap { $0.isNull ? nil : try ClockArgument.time($0) })
    }

    private static func specialTokens(
        _ line: JSONObject, over defaults: [String: String]
    ) throws(CommandError) -> [String: String] {
        var tokens = defaults
        for (name, value) in try line.optional("special_tokens", "an object", \.object) ?? [:] where !value.isNull {
            guard let text = value.string ?? value["content"]?.string else {
                throw CommandError("'special_tokens.\(name)' must be a string, found \(value.kind)")
            }
            tokens[name] = text
        }
        return tokens
    }
}
