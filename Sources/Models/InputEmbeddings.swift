internal import Adapters
import CKernels
import Checkpoints
import Compute

/// Rows that take the place of token embeddings: a soft prompt, or embeddings that a request brings.
package final class InputEmbeddings: @unchecked Sendable {
    /// Positions.
    package let count: Int
    /// The model's hidden size.
    package let width: Int
    private let values: FloatBuffer

    /// A copy of `[count, width]` numbers.
    init(_ tensor: TensorView) throws {
        count = tensor.shape[0]
        width = tensor.shape[1]
        values = try FloatBuffer(tensor)
    }

    package var byteCount: Int { 4 * values.count }

    func read(_ row: Int, to out: UnsafeMutablePointer<Float>) {
        mk_convert(out, mk_float32, values.values + row * width, mk_float32, width)
    }
}

/// Consecutive tokens of a step whose inputs are rows of embeddings.
package struct EmbeddedRows: Sendable {
    package let tokenStart: Int
    package let tokenCount: Int
    package let embeddings: InputEmbeddings
    /// Which row the first token takes.
    package let first: Int

    package init(tokenStart: Int, tokenCount: Int, embeddings: InputEmbeddings, first: Int) {
        self.tokenStart = tokenStart
        self.tokenCount = tokenCount
        self.embeddings = embeddings
        self.first = first
    }
}

/// What an adapter puts before the prompt's first token, on positions of its own.
package enum VirtualTokens: Sendable {
    /// Inputs that are computed like tokens; a request chooses one of the tasks.
    case embeddings([InputEmbeddings])
    /// Keys and values that are attended to as they are: `ModelRunner.writePrefix` brings them into the cache.
    case prefix(positions: Int)

    init?(_ effects: AdapterEffects) throws {
        if let prompt = effects.promptEmbeddings {
            self = .embeddings(try prompt.tasks.map { try InputEmbeddings($0) })
        } else if let prefix = effects.prefix {
            self = .prefix(positions: prefix.tokenCount)
        } else {
            return nil
        }
    }

    package var count: Int {
        switch self {
        case .embeddings(let tasks): tasks.first?.count ?? 0
        case .prefix(let positions): positions
        }
    }

    package var taskCount: Int { if case .embeddings(let tasks) = self { tasks.count } else { 1 } }

    /// Bytes beside those of the cache.
    package var byteCount: Int {
        if case .embeddings(let tasks) = self { tasks.reduce(0) { $0 + $1.byteCount } } else { 0 }
    }
}
