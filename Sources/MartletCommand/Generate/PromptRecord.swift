import Checkpoints
import Engine

/// One prompt of `martlet generate`, before the model sees it.
struct PromptRecord: Equatable {
    enum Content: Equatable {
        case text(String)
        case tokens([Int32])
        /// Messages as the API takes them.
        case chat([JSONValue])
    }

    /// Comes back with the result, where the line had one.
    var id: JSONValue?
    var content: Content
    /// Adapters that the line names, none for the base model; nil where it says nothing.
    var adapters: [AdapterSelection]?

    init(_ content: Content, id: JSONValue? = nil, adapters: [AdapterSelection]? = nil) {
        self.id = id
        self.adapters = adapters
        self.content = content
    }

    /// Reads a line of a prompts file: a JSON string, or an object with `prompt` (text or token ids) or `messages`, and
    /// perhaps `adapter`.
    init(line: [UInt8]) throws {
        let value = try JSONLineLoop.value(line)
        switch value {
        case .string(let text): self.init(.text(text))
        case .object(let object):
            self.init(
                try Self.content(object), id: object["id"], adapters: try object["adapter"].map(Self.adapters))
        default: throw CommandError("expected a string or an object, found \(value.kind)")
        }
    }

    private static func content(_ object: JSONObject) throws(CommandError) -> Content {
        switch (object["prompt"], object["messages"]) {
        case (.string(let text)?, nil): return .text(text)
        case (.array?, nil): return .tokens(try object.tokenIDs("prompt"))
        case (nil, .array(let messages)?): return .chat(messages)
        case (_?, _?): throw CommandError("has both 'prompt' and 'messages', expected one of them")
        case (let prompt?, nil):
            throw CommandError("'prompt' must be a string or a list of token ids, found \(prompt.kind)")
        case (nil, let messages?): throw CommandError("'messages' must be a list, found \(messages.kind)")
        case (nil, nil): throw CommandError("has neither 'prompt' nor 'messages'")
        }
    }

    private static func adapters(_ value: JSONValue) throws(CommandError) -> [AdapterSelection] {
        switch value {
        case .null: return []
        case .array(let items):
            var selections: [AdapterSelection] = []
            for item in items { selections.append(try adapter(item)) }
            return selections
        default: return [try adapter(value)]
        }
    }

    private static func adapter(_ value: JSONValue) throws(CommandError) -> AdapterSelection {
        if let name = value.string, !name.isEmpty { return AdapterSelection(name) }
        guard let object = value.object, let name = object["name"]?.string, !name.isEmpty else {
            throw CommandError("'adapter' must be a name, an object with 'name' and 'scale', or a list of these")
        }
        guard let scale = object["scale"] else { return AdapterSelection(name) }
        guard let number = scale.double, number.isFinite else {
            throw CommandError("the 'scale' of the adapter '\(name)' must be a number, found \(scale.kind)")
        }
        return AdapterSelection(name, scale: number)
    }

    /// All prompts of a prompts file, one in each line; blank lines are left out.
    static func records(file bytes: [UInt8], name: String) throws -> [PromptRecord] {
        var records: [PromptRecord] = []
        for (number, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated()
        where !line.allSatisfy({ $0 <= 0x20 }) {
            do { records.append(try PromptRecord(line: Array(line))) } catch {
                throw CommandError("\(name), line \(number + 1): \(error)")
            }
        }
        return records
    }

    /// A text as a user's message, after a system message if there is one; other content as it is.
    func asChat(system: String?) -> PromptRecord {
        guard case .text(let text) = content else { return self }
        let messages = (system.map { [ChatMessage.system($0)] } ?? []) + [.user(text)]
        return PromptRecord(.chat(messages.map(\.json)), id: id, adapters: adapters)
    }

    /// The prompt as the engine takes it, chats rendered with the model's template.
    func prompt(for engine: InferenceEngine) throws(EngineError) -> Prompt {
        switch content {
        case .text(let text): return .text(text)
        case .tokens(let tokens): return .tokens(tokens)
        case .chat(let messages):
            let text = try engine.text.renderChat(
                messages: .array(messages), tools: nil, documents: nil, addGenerationPrompt: true,
                continueFinalMessage: false, kwargs: [:], template: nil)
            return .tokens(engine.text.encode(text, addSpecialTokens: false))
        }
    }
}
