import Sampling

/// Bounds on what one request may ask for, and what requests are trusted with.
package struct RequestLimits: Sendable, Equatable {
    /// Prompts in one completions request (vLLM's bound).
    package var prompts = 1024
    /// Sequences one request may start: prompts × `n`.
    package var sequences = 2048
    /// Nesting of arrays and objects in a body.
    package var depth = 128
    package var sampling = SamplingLimits()
    /// Whether a request may bring input embeddings.
    package var acceptsPromptEmbeddings = false
    /// Whether a request may bring a chat template of its own.
    package var trustsChatTemplates = false

    package init() {}
}
