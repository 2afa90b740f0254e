public import Checkpoints

/// Everything that one rendering of a chat template takes.
public struct TemplateInput: Sendable {
    /// An array of message objects.
    public var messages: JSONValue
    /// An array of tool objects, or nil.
    public var tools: JSONValue?
    /// An array of document objects, or nil.
    public var documents: JSONValue?
    /// Whether the template shall open the assistant's next turn.
    public var addGenerationPrompt: Bool
    /// Whether the rendering shall end inside the final message, to be continued there.
    public var continueFinalMessage: Bool
    /// Further variables for the template (`chat_template_kwargs`).
    public var kwargs: JSONObject
    /// Variables such as `bos_token`; a kwarg of the same name wins.
    public var specialTokens: [String: String]
    /// What `strftime_now` tells; nil for the present local time.
    public var now: TemplateTime?

    public init(
        messages: JSONValue, tools: JSONValue? = nil, documents: JSONValue? = nil, addGenerationPrompt: Bool = false,
        continueFinalMessage: Bool = false, kwargs: JSONObject = JSONObject(), specialTokens: [String: String] = [:],
        now: TemplateTime? = nil
    ) {
        self.messages = messages
        self.tools = tools
        self.documents = documents
        self.addGenerationPrompt = addGenerationPrompt
        self.continueFinalMessage = continueFinalMessage
        self.kwargs = kwargs
        self.specialTokens = specialTokens
        self.now = now
    }
}
