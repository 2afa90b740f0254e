internal import Adapters
import CKernels
import Checkpoints
import Compute

/// Rows of the output head that take the place of the model's: the logits of some tokens.
struct HeadRows {
    private let weights: PackedLinear
    private let tokens: [Int32]

    var byteCount: Int { weights.byteCount + 4 * tokens.count }
    /// Numbers that a worker needs.
    var scratchCount: Int { tokens.count }

    init(_ rows: TokenRows, storage: StorageType) throws(ComputeError) {
        tokens = rows.tokens
        let weights = try PackedLinear(inputs: rows.rows.shape[1], outputs: tokens.count, storage: storage)
        rows.rows.withBytes { bytes in
            if let base = bytes.baseAddress {
                weights.pack(base, type: rows.rows.storage, rows: rows.tokens.count)
            }
        }
        self.weights = weights
    }

    /// Overwrites the tokens' logits in one row.
    func run(
        _ kernels: mk_tensor_kernels, _ input: UnsafePointer<Float>, logits: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        withUnsafePointer(to: weights.packed) {
            kernels.matmul(
                $0, 0, Int32(weights.panelCount), input, weights.inputs, 1, scratch, tokens.count, nil, false)
        }
        mk_scatter(logits, tokens, scratch, tokens.count)
    }
}
