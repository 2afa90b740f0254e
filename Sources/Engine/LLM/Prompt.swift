public import Checkpoints

/// What a model is asked to continue.
public enum Prompt: Sendable, ExpressibleByStringLiteral {
    /// A text; special tokens of the model are added as its tokenizer says.
    case text(String)
    /// Token ids, used as they are.
    case tokens([Int32])
    /// A conversation, rendered with the model's chat template; the model answers it.
    case chat([ChatMessage])
    /// Rows that take the place of token embeddings.
    case embeddings(PromptEmbeddings)

    public init(stringLiteral value: String) { self = .text(value) }
}

/// One message of a conversation.
public struct ChatMessage: Sendable, Equatable {
    public var role: String
    public var content: String

    public init(role: String, content: String) {
        self.role = role
        self.content = content
    }

    public static func system(_ content: String) -> ChatMessage { ChatMessage(role: "system", content: content) }
    public static func user(_ content: String) -> ChatMessage { ChatMessage(role: "user", content: content) }
    public static func assistant(_ content: String) -> ChatMessage { ChatMessage(role: "assistant", content: content) }

    /// The message as chat templates see it.
    public var json: JSONValue { ["role": .string(role), "content": .string(content)] }
}
