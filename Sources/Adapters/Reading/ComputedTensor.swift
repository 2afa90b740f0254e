import CKernels
import Checkpoints
import Compute

/// Float matrices that are computed when an adapter is loaded.
///
/// The views keep their memory alive. The order of every sum is fixed, so the same file gives the same bits everywhere.
struct ComputedTensor {
    /// For messages.
    let file: String

    /// A matrix that `fill` writes.
    private func make(
        _ name: String, _ shape: [Int], _ fill: (UnsafeMutablePointer<Float>) -> Void
    ) throws(CheckpointError) -> TensorView {
        let count = shape.reduce(1, *)
        let buffer: FloatBuffer
        do { buffer = try FloatBuffer(count: count) } catch {
            throw CheckpointError(
                .unreadable, file: file, subject: "tensor \(CheckpointError.quoted(name))", error.description)
        }
        fill(buffer.values)
        return TensorView(
            name: name, dtype: .float32, shape: shape,
            bytes: UnsafeRawBufferPointer(start: buffer.values, count: count * MemoryLayout<Float>.stride),
            owner: buffer)
    }

    /// `tensor` in float.
    func float(_ tensor: TensorView) throws(CheckpointError) -> TensorView {
        guard tensor.dtype != .float32 else { return tensor }
        return try make(tensor.name, tensor.shape) { out in
            tensor.withBytes { bytes in
                if let base = bytes.baseAddress { mk_convert(out, mk_float32, base, tensor.storage, tensor.count) }
            }
        }
    }

    /// The top left part of a matrix, its rows and columns multiplied by factors.
    func scaled(
        _ matrix: TensorView, rows: Int, columns: Int, rowFactors: TensorView? = nil, columnFactors: TensorView? = nil
    ) throws(CheckpointError) -> TensorView {
        let rowFactors = try rowFactors.map(float)
        let columnFactors = try columnFactors.map(float)
        return try make(matrix.name, [rows, columns]) { out in
            matrix.withBytes { bytes in
                guard let base = bytes.baseAddress else { return }
                mk_scale_matrix(
                    base, matrix.storage, matrix.shape[1], rowFactors?.floats, columnFactors?.floats, rows, columns, out
                )
            }
            extendLifetime(rowFactors)
            extendLifetime(columnFactors)
        }
    }

    /// A matrix of PEFT's `_kaiming_init`, drawn on a CPU from torch's generator of `seed` after `skip` other numbers.
    func kaimingUniform(
        _ name: String, rows: Int, columns: Int, seed: Int, skip: Int
    ) throws(CheckpointError) -> TensorView {
        // The same operations in the same order as in torch, for the same bits.
        let bound = 3.0.squareRoot() * (2.0.squareRoot() / Double(columns).squareRoot())
        return try make(name, [rows, columns]) { out in
            mk_torch_uniform(UInt64(bitPattern: Int64(seed)), skip, bound, rows * columns, out)
        }
    }

    /// `a b` for `[m, k]` and `[k, n]`.
    func product(_ a: TensorView, _ b: TensorView) throws(CheckpointError) -> TensorView {
        try combined(a, b, [a.shape[0], b.shape[1]]) {
            mk_small_product($0, $1, a.shape[0], a.shape[1], b.shape[1], $2)
        }
    }

    /// Element by element, for equal shapes.
    func multiplied(_ a: TensorView, _ b: TensorView) throws(CheckpointError) -> TensorView {
        try combined(a, b, a.shape) { mk_multiply($0, $1, a.count, $2) }
    }

    func kronecker(_ a: TensorView, _ b: TensorView) throws(CheckpointError) -> TensorView {
        try combined(a, b, [a.shape[0] * b.shape[0], a.shape[1] * b.shape[1]]) {
            mk_kronecker($0, a.shape[0], a.shape[1], $1, b.shape[0], b.shape[1], $2)
        }
    }

    /// `[r, n]` and `[s, n]` become `[r * s, n]`.
    func rowPairs(_ a: TensorView, _ b: TensorView) throws(CheckpointError) -> TensorView {
        try combined(a, b, [a.shape[0] * b.shape[0], a.shape[1]]) {
            mk_pair_rows($0, a.shape[0], $1, b.shape[0], a.shape[1], $2)
        }
    }

    /// `[m, r]` and `[m, s]` become `[m, r * s]`.
    func columnPairs(_ a: TensorView, _ b: TensorView) throws(CheckpointError) -> TensorView {
        try combined(a, b, [a.shape[0], a.shape[1] * b.shape[1]]) {
            mk_pair_columns($0, a.shape[1], $1, b.shape[1], a.shape[0], $2)
        }
    }

    func identity(_ size: Int) throws(CheckpointError) -> TensorView {
        try make("identity", [size, size]) { out in
            for place in 0..<size { out[place * size + place] = 1 }
        }
    }

    private func combined(
        _ a: TensorView, _ b: TensorView, _ shape: [Int],
        _ body: (UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
    ) throws(CheckpointError) -> TensorView {
        let a = try float(a)
        let b = try float(b)
        return try make(a.name, shape) { out in
            a.withBytes { _ in
                b.withBytes { _ in
                    if let first = a.floats, let second = b.floats { body(first, second, out) }
                }
            }
        }
    }
}

extension TensorView {
    /// The elements of a float tensor; valid as long as the view lives.
    fileprivate var floats: UnsafePointer<Float>? { bytes.baseAddress?.assumingMemoryBound(to: Float.self) }
}
