import CKernels

/// Rows of activations in the form that weights of one format are multiplied with; opaque to everybody but the kernels.
///
/// Made once for the most rows of a step. A row is prepared as a whole, by one thread, and then read by all.
package final class PreparedRows: @unchecked Sendable {
    package let capacity: Int
    package let inputs: Int
    package let format: WeightFormat
    /// Bytes from one row to the next.
    package let stride: Int
    private let memory: Memory
    private let kernels: mk_linear_kernels

    package init(capacity: Int, inputs: Int, format: WeightFormat, kernels: KernelSet) throws(ComputeError) {
        guard let k = Int32(exactly: inputs), k > 0, capacity >= 0 else {
            throw ComputeError("\(capacity) rows of \(inputs) activations are not possible")
        }
        self.capacity = capacity
        self.inputs = inputs
        self.format = format
        self.kernels = kernels.linear
        let bytes = kernels.linear.row_bytes(format.kernelFormat, k)
        // Rows a multiple of 4096 bytes apart would share the same few cache sets.
        stride = bytes % 4096 == 0 ? bytes + 64 : bytes
        memory = try Memory(byteCount: capacity * stride)
    }

    package var byteCount: Int { memory.byteCount }

    package subscript(row: Int) -> UnsafeMutableRawPointer { memory.pointer + row * stride }

    /// Prepares row `row` from `inputs` values.
    package func prepare(_ row: Int, from values: UnsafePointer<Float>) {
        kernels.prepare(format.kernelFormat, values, Int32(inputs), self[row])
    }

    /// Prepares row `row` from `inputs` values that are normalised by their root mean square on the way.
    ///
    /// - Parameter normed: gets the normalised values in float too, if given.
    package func prepare(
        _ row: Int, normalizing values: UnsafePointer<Float>, weight: UnsafePointer<Float>, epsilon: Float,
        normed: UnsafeMutablePointer<Float>? = nil
    ) {
        kernels.norm(format.kernelFormat, values, weight, epsilon, Int32(inputs), self[row], normed)
    }
}
