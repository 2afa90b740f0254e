import CKernels

/// Where the outputs of a layer go: `[row][output]`, rows `stride` elements apart, the first row first.
package struct LinearOutput {
    package let values: UnsafeMutablePointer<Float>
    package let stride: Int
    /// Adds to what is there.
    package let accumulates: Bool
    package let hasBias: Bool

    /// - Parameter hasBias: whether the layer's bias, if it has one, is added.
    package init(
        _ values: UnsafeMutablePointer<Float>, stride: Int, accumulates: Bool = false, hasBias: Bool = true
    ) {
        self.values = values
        self.stride = stride
        self.accumulates = accumulates
        self.hasBias = hasBias
    }
}

// Products with prepared rows. A row's bits depend neither on the other rows of a call nor on how panels are divided.
extension PackedLinear {
    /// Outputs of some panels for rows `range`, with the bias; the first row of `output` is that of `range`.
    package func multiply(
        panels: Range<Int>, _ rows: PreparedRows, _ range: Range<Int>, into output: LinearOutput, _ kernels: KernelSet
    ) {
        check(rows, range)
        var out = kernelOutput(output)
        withOperands(rows) {
            kernels.linear.multiply(
                $0, Int32(panels.lowerBound), Int32(panels.upperBound), rows[range.lowerBound], rows.stride,
                Int32(range.count), &out)
        }
    }

    /// activation(gate) * up of some pairs of panels, `columns` outputs at most over all pairs. Nothing is accumulated.
    package func multiplyGated(
        pairs: Range<Int>, _ rows: PreparedRows, _ range: Range<Int>, into output: LinearOutput, columns: Int,
        activation: mk_activation, _ kernels: KernelSet
    ) {
        check(rows, range)
        var out = kernelOutput(output)
        withOperands(rows) {
            kernels.linear.multiply_gated(
                $0, Int32(pairs.lowerBound), Int32(pairs.upperBound), rows[range.lowerBound], rows.stride,
                Int32(range.count), &out, Int32(columns), activation)
        }
    }

    /// Takes over into `best`, one for each row of `range`, the greatest output of some panels, without storing outputs.
    ///
    /// Start from `index` -1, and merge what several threads found with `mk_best.merge`.
    package func greatest(
        panels: Range<Int>, _ rows: PreparedRows, _ range: Range<Int>, into best: UnsafeMutablePointer<mk_best>,
        _ kernels: KernelSet
    ) {
        check(rows, range)
        withOperands(rows) {
            kernels.linear.argmax(
                $0, Int32(panels.lowerBound), Int32(panels.upperBound), rows[range.lowerBound], rows.stride,
                Int32(range.count), bias?.values, best)
        }
    }

    private func kernelOutput(_ output: LinearOutput) -> mk_output {
        mk_output(
            values: output.values, stride: output.stride,
            bias: output.hasBias ? bias.map { UnsafePointer($0.values) } : nil,
            accumulate: output.accumulates)
    }

    private func withOperands(_ rows: PreparedRows, _ body: (UnsafePointer<mk_weights>) -> Void) {
        withExtendedLifetime(rows) { withWeights(body) }
    }

    private func check(_ rows: PreparedRows, _ range: Range<Int>) {
        precondition(rows.inputs == inputs && rows.format.takesRows(of: format) && range.upperBound <= rows.capacity)
    }
}

extension mk_best {
    /// Nothing seen yet.
    package static let none = mk_best(value: -.infinity, index: -1)

    /// The better of two, whichever came first: the lowest index wins a tie.
    package mutating func merge(_ other: mk_best) {
        guard other.index >= 0 else { return }
        if index < 0 || other.value > value || (other.value == value && other.index < index) { self = other }
    }
}
