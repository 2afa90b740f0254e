import ChatTemplates
public import Checkpoints
public import Tokenizers

/// The model's text side: its tokenizer and its chat template. Safe to use from any thread; never on the engine's.
public struct TextProcessor: Sendable {
    public let tokenizer: Tokenizer
    private let template: ChatTemplate?
    private let specialTokens: [String: String]

    package init(tokenizer: Tokenizer, template: ChatTemplate?, specialTokens: [String: String]) {
        self.tokenizer = tokenizer
        self.template = template
        self.specialTokens = specialTokens
    }

    /// Whether chats can be rendered without a template of the request's own.
    public var hasChatTemplate: Bool { template != nil }

    public func encode(_ text: String, addSpecialTokens: Bool) -> [Int32] {
        tokenizer.encode(text, addSpecialTokens: addSpecialTokens)
    }

    /// Renders a conversation to the prompt text, after the changes that vLLM makes to messages.
    ///
    /// - Parameters:
    ///   - kwargs: variables for the template; names of the render arguments are refused.
    ///   - source: a template in place of the model's own.
    public func renderChat(
        messages: JSONValue, tools: JSONValue?, documents: JSONValue?, addGenerationPrompt: Bool,
        continueFinalMessage: Bool, kwargs: JSONObject, template source: String?
    ) throws(EngineError) -> String {
        do {
            let template = try template(source)
            let input = TemplateInput(
                messages: try template.normalised(messages: messages), tools: tools, documents: documents,
                addGenerationPrompt: addGenerationPrompt, continueFinalMessage: continueFinalMessage, kwargs: kwargs,
                specialTokens: specialTokens)
            return try template.render(input)
        } catch let error as EngineError {
            throw error
        } catch {
            throw .invalidRequest(
                parameter: "messages", message: "The chat template cannot render these messages: \(error)")
        }
    }

    private func template(_ source: String?) throws -> ChatTemplate {
        if let source { return try ChatTemplate(source) }
        guard let template else {
            throw EngineError.invalidRequest(
                parameter: "messages",
                message: "The model has no chat template: use completions, or give one with --chat-template.")
        }
        return template
    }
}
