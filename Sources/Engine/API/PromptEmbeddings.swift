import Checkpoints
import Models

/// Input embeddings that take the place of a prompt's tokens.
public struct PromptEmbeddings: Sendable, Equatable {
    let rows: InputEmbeddings
    /// Names the content in the prefix cache.
    let digest: [UInt8]

    /// Positions that they fill.
    public var count: Int { rows.count }
    /// Numbers of a position, the model's hidden size.
    public var width: Int { rows.width }

    /// The one tensor of a safetensors file's content: `[tokens, hidden size]` in float32, float16 or bfloat16.
    ///
    /// - Throws: `EngineError.invalidRequest` with what is wrong.
    public init(safetensors content: [UInt8]) throws(EngineError) {
        do {
            rows = try InputEmbeddings(safetensors: content, name: "prompt_embeds")
        } catch {
            throw .invalidRequest(parameter: "prompt_embeds", message: "\(error)")
        }
        digest = rows.digest
    }

    public static func == (left: PromptEmbeddings, right: PromptEmbeddings) -> Bool { left.digest == right.digest }
}
