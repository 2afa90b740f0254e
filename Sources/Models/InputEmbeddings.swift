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
        count = tensor.shape[tensor.shape.count - 2]
        width = tensor.shape[tensor.shape.count - 1]
        values = try FloatBuffer(tensor)
    }

    /// The one tensor of a safetensors file's content, `[count, width]` or `[1, count, width]`, in float32, float16 or
    /// bfloat16.
    ///
    /// - Throws: `CheckpointError` with what is wrong; values that are not finite are.
    package convenience init(safetensors content: [UInt8], name: String) throws {
        // The header's length need not be a multiple of the elements' size.
        let aligned = try Memory(byteCount: max(1, content.count))
        content.withUnsafeBytes {
            if let base = $0.baseAddress { aligned.pointer.copyMemory(from: base, byteCount: $0.count) }
        }
        let bytes = UnsafeRawBufferPointer(start: aligned.pointer, count: content.count)
        let header = try SafetensorsHeader(bytes, path: name)
        guard header.tensors.count == 1, let tensor = header.tensors.first else {
            throw CheckpointError(
                .malformed, file: name, "has \(header.tensors.count) tensors, expected one of [tokens, hidden size]")
        }
        let shape = tensor.shape
        guard [.float32, .float16, .bfloat16].contains(tensor.dtype) else {
            throw CheckpointError(
                .unsupported, file: name, subject: "tensor '\(tensor.name)'",
                "is \(tensor.dtype.rawValue), expected F32, F16 or BF16")
        }
        guard shape.count == 2 || (shape.count == 3 && shape[0] == 1), shape.allSatisfy({ $0 > 0 }) else {
            throw CheckpointError(
                .malformed, file: name, subject: "tensor '\(tensor.name)'",
                "has the shape \(shape), expected [tokens, hidden size]")
        }
        let data = try Memory(byteCount: tensor.range.count)
        data.pointer.copyMemory(from: aligned.pointer + tensor.range.lowerBound, byteCount: tensor.range.count)
        let view = TensorView(
            name: tensor.name, dtype: tensor.dtype, shape: shape,
            bytes: UnsafeRawBufferPointer(start: data.pointer, count: tensor.range.count), owner: data)
        try self.init(view)
        guard mk_find_nonfinite(values.values, mk_float32, values.count) < 0 else {
            throw CheckpointError(
                .malformed, file: name, subject: "tensor '\(tensor.name)'", "has a value that is not a finite number")
        }
    }

    /// SHA-256 of shape and values.
    package var digest: [UInt8] {
        var hash = SHA256()
        withUnsafeBytes(of: (count, width)) { hash.add($0) }
        hash.add(UnsafeRawBufferPointer(start: values.values, count: byteCount))
        return hash.finish()
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
