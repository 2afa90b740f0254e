import Checkpoints
import Engine
import Sampling

/// What the protocol needs of a model's text side: tokens to and from text, and the chat template.
package protocol TextService: Sendable {
    var hasChatTemplate: Bool { get }
    func encode(_ text: String, addSpecialTokens: Bool) -> [Int32]
    func decode(_ tokens: [Int32], skipSpecialTokens: Bool) -> String
    /// The token as the vocabulary spells it.
    func piece(_ token: Int32) -> String?
    /// What the token stands for in running text.
    func bytes(of token: Int32) -> [UInt8]?
    func isSpecial(_ token: Int32) -> Bool
    /// The prompt of a conversation.
    func renderChat(_ chat: ChatInput) throws(EngineError) -> String
}

/// A conversation as the chat template sees it.
package struct ChatInput: Sendable, Equatable {
    package var messages: JSONValue
    package var tools: JSONValue?
    package var documents: JSONValue?
    package var addGenerationPrompt = true
    package var continueFinalMessage = false
    package var kwargs = JSONObject()
    /// Replaces the model's template.
    package var template: String?

    package init(messages: JSONValue) { self.messages = messages }
}
