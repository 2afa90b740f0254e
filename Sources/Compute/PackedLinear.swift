import CKernels

/// The weights of a linear layer in the kernels' panel layout, with its bias.
///
/// Several matrices with the same input may share one (q, k and v), each at its own output columns, or alternate panel
/// by panel (gate and up), so that one pass over the input serves them all.
package final class PackedLinear: @unchecked Sendable {
    package let inputs: Int
    package let outputs: Int
    package let format: WeightFormat
    let memory: Memory
    package private(set) var bias: FloatBuffer?

    /// Where the rows of a matrix go.
    package enum Placement: Sendable {
        /// Output columns from this one on.
        case columns(from: Int)
        /// Even panels: the gate of a gated layer.
        case gate
        /// Odd panels.
        case up

        var isInterleaved: Bool { if case .columns = self { false } else { true } }

        /// Output column of row `row`.
        func column(_ row: Int) -> Int {
            switch self {
            case .columns(let first): first + row
            case .gate: row / PackedLinear.panel * 2 * PackedLinear.panel + row % PackedLinear.panel
            case .up: row / PackedLinear.panel * 2 * PackedLinear.panel + PackedLinear.panel + row % PackedLinear.panel
            }
        }
    }

    /// Output columns of a panel: the unit in which work is divided.
    package static let panel = Int(mk_panel_columns)

    /// A layer whose weights are zero until they are packed.
    ///
    /// - Parameter spare: a layer that nobody uses any more, whose memory serves again if it is large enough: the system
    ///   takes as long to hand out new memory as packing takes.
    /// - Throws: when a size is not possible, there is no memory for it, or the format is `compressedBfloat16`, which is
    ///   made from a packed layer.
    package convenience init(
        inputs: Int, outputs: Int, format: WeightFormat, reusing spare: PackedLinear? = nil
    ) throws(ComputeError) {
        guard let n = Int32(exactly: outputs), let k = Int32(exactly: inputs), n > 0, k > 0 else {
            throw ComputeError("a linear layer of \(inputs) inputs and \(outputs) outputs is not possible")
        }
        switch format {
        case .compressedBfloat16:
            throw ComputeError("compressed weights are made from packed bfloat16 weights, not packed themselves")
        case .int4(let group) where group != 32 && group != 64:
            throw ComputeError("int4 weights in groups of \(group) are not possible: a scale is for 32 or 64 inputs")
        default: break
        }
        let bytes = mk_weights_bytes(format.kernelFormat, Int32(format.group), n, k)
        if let spare, spare.memory.byteCount >= bytes {
            self.init(inputs: inputs, outputs: outputs, format: format, memory: spare.memory)
        } else {
            self.init(inputs: inputs, outputs: outputs, format: format, memory: try Memory(byteCount: bytes))
            // New memory is zero, which rounded weights of zero are not.
            guard format.isRounded else { return }
        }
        withWeights { mk_clear_weights($0, 0, Int32(panelCount)) }
    }

    package convenience init(inputs: Int, outputs: Int, storage: StorageType) throws(ComputeError) {
        try self.init(inputs: inputs, outputs: outputs, format: WeightFormat(storage))
    }

    init(inputs: Int, outputs: Int, format: WeightFormat, memory: Memory) {
        self.inputs = inputs
        self.outputs = outputs
        self.format = format
        self.memory = memory
    }

    /// A layer for gate and up matrices of `columns` outputs each, with alternating panels.
    package static func gated(
        inputs: Int, columns: Int, format: WeightFormat, reusing spare: PackedLinear? = nil
    ) throws(ComputeError) -> PackedLinear {
        try PackedLinear(inputs: inputs, outputs: gatedOutputs(columns: columns), format: format, reusing: spare)
    }

    /// Outputs of a layer for gate and up matrices of `columns` outputs each: whole panels of both.
    package static func gatedOutputs(columns: Int) -> Int { 2 * ((columns + panel - 1) / panel) * panel }

    package static func gated(inputs: Int, columns: Int, storage: StorageType) throws(ComputeError) -> PackedLinear {
        try gated(inputs: inputs, columns: columns, format: WeightFormat(storage))
    }

    package var panelCount: Int { (outputs + Self.panel - 1) / Self.panel }

    /// About the bytes of a panel's weights.
    package var panelBytes: Int { memory.byteCount / max(1, panelCount) }

    package var byteCount: Int { memory.byteCount + (bias?.count ?? 0) * 4 }

    /// The same layer, in memory of its own size if it had a larger one's.
    package func fitted() throws(ComputeError) -> PackedLinear {
        let bytes = mk_weights_bytes(format.kernelFormat, Int32(format.group), Int32(outputs), Int32(inputs))
        guard format != .compressedBfloat16, memory.byteCount > bytes else { return self }
        let result = PackedLinear(
            inputs: inputs, outputs: outputs, format: format, memory: try Memory(byteCount: bytes))
        result.memory.pointer.copyMemory(from: memory.pointer, byteCount: bytes)
        result.bias = bias
        return result
    }

    /// Whether compressed weights are worth their work: irregular ones would cost time and save nothing.
    package func isSmaller(than plain: PackedLinear) -> Bool {
        let bytes = mk_weights_bytes(plain.format.kernelFormat, 0, Int32(plain.outputs), Int32(plain.inputs))
        return memory.byteCount < bytes * 9 / 10
    }

    /// What kernels for prepared rows are given; valid while this object lives.
    package var weights: mk_weights {
        mk_weights(
            data: memory.pointer, format: format.kernelFormat, group: Int32(format.group), n: Int32(outputs),
            k: Int32(inputs))
    }

    func withWeights<Result>(_ body: (UnsafePointer<mk_weights>) -> Result) -> Result {
        withExtendedLifetime(self) { withUnsafePointer(to: weights, body) }
    }

    /// Of weights that take floats.
    private var storage: StorageType { format == .float32 ? .float32 : .bfloat16 }

    /// What kernels for rows of floats are given; valid while this object lives. Only for `float32` and `bfloat16`.
    package var packed: mk_packed { panels(0..<panelCount) }

    /// One panel as weights of its own, for rows of floats. Only for `float32` and `bfloat16`.
    package func panel(_ index: Int) -> mk_packed { panels(index..<index + 1) }

    /// A run of panels as weights of their own, for rows of floats. Only for `float32` and `bfloat16`.
    package func panels(_ range: Range<Int>) -> mk_packed {
        precondition(format == .float32 || format == .bfloat16, "weights of this format take prepared rows")
        let bytes = mk_weights_panel_bytes(format.kernelFormat, 0, Int32(inputs))
        let columns = min(range.upperBound * Self.panel, outputs) - range.lowerBound * Self.panel
        return mk_packed(
            data: memory.pointer + range.lowerBound * bytes, storage: storage.kernelType, n: Int32(columns),
            k: Int32(inputs))
    }

    /// Packs a row-major `[rows][inputs]` matrix, spread over the pool. Before the layer is first used.
    package func pack(
        _ matrix: UnsafeRawPointer, type: StorageType, rows: Int, at placement: Placement, pool: WorkerPool
    ) {
        let blocks = (rows + Self.panel - 1) / Self.panel
        nonisolated(unsafe) let matrix = matrix
        pool.run { worker in
            let range = worker.share(of: blocks)
            let begin = range.lowerBound * Self.panel
            let count = min(range.upperBound * Self.panel, rows) - begin
            guard count > 0 else { return }
            self.pack(matrix + begin * self.inputs * type.byteCount, type, begin, count, placement)
        }
    }

    /// Packs a row-major `[outputs][inputs]` matrix on the calling thread. Before the layer is first used.
    package func pack(_ matrix: UnsafeRawPointer, type: StorageType, rows: Int, from column: Int = 0) {
        pack(matrix, type, 0, rows, .columns(from: column))
    }

    private func pack(
        _ matrix: UnsafeRawPointer, _ type: StorageType, _ first: Int, _ rows: Int, _ placement: Placement
    ) {
        precondition(format != .compressedBfloat16 && placement.column(first + rows - 1) < outputs)
        withWeights {
            mk_pack_weights(
                $0, Int32(placement.column(first)), placement.isInterleaved, matrix, type.kernelType, Int32(rows))
        }
    }

    /// The same bfloat16 weights in about 12 bits each. The bias is shared.
    ///
    /// The more regular the upper bytes, the smaller: normally distributed weights take 75.6 %, random bits more than
    /// they did.
    package func compressed(pool: WorkerPool) throws(ComputeError) -> PackedLinear {
        precondition(format == .bfloat16)
        let format = WeightFormat.compressedBfloat16
        let panels = panelCount
        let plain = mk_weights_bytes(format.kernelFormat, 0, Int32(outputs), Int32(inputs))
        let (places, bytes) = try placesOfWholePairs(after: plain, pool: pool)
        let result = PackedLinear(
            inputs: inputs, outputs: outputs, format: format, memory: try Memory(byteCount: bytes))
        result.bias = bias
        pool.run { worker in
            self.withWeights { from in
                result.withWeights { to in
                    for panel in worker.share(of: panels) {
                        mk_compress_panel(to, from, Int32(panel), places[panel].start, places[panel].count)
                    }
                }
            }
        }
        return result
    }

    /// Where each panel's pairs that compression keeps whole go, from byte `start` on, how many there are, and where the
    /// last ends.
    private func placesOfWholePairs(
        after start: Int, pool: WorkerPool
    ) throws(ComputeError) -> (places: [(start: Int, count: Int32)], end: Int) {
        let panels = panelCount
        let memory = try Memory(byteCount: panels * MemoryLayout<Int32>.stride)
        pool.run { worker in
            let counts = memory.elements(Int32.self)
            self.withWeights {
                for panel in worker.share(of: panels) { counts[panel] = mk_count_whole_pairs($0, Int32(panel)) }
            }
        }
        return withExtendedLifetime(memory) {
            let counts = memory.elements(Int32.self)
            var end = start
            let places = (0..<panels).map { panel in
                defer { end += mk_whole_pairs_bytes(counts[panel]) }
                return (start: end, count: counts[panel])
            }
            return (places, end)
        }
    }

    /// Inputs `range` of output column `column` as products see them.
    package func read(column: Int, _ range: Range<Int>, to out: UnsafeMutablePointer<Float>) {
        withWeights { mk_unpack_weights($0, Int32(column), Int32(range.lowerBound), Int32(range.upperBound), out) }
    }

    /// All inputs of the columns of a panel as products see them: `[inputs][panel]`, zeros past the last column.
    package func read(panel: Int, to out: UnsafeMutablePointer<Float>) {
        withWeights { mk_unpack_weights_panel($0, Int32(panel), out) }
    }

    /// Whether products with both are the same in every bit; biases do not count.
    package func hasWeights(of other: PackedLinear) -> Bool {
        if format == .compressedBfloat16, other.format == .bfloat16 { return other.hasWeights(of: self) }
        if format == .bfloat16, other.format == .compressedBfloat16 { return hasNumbers(of: other) }
        return inputs == other.inputs && outputs == other.outputs && format == other.format
            && memory.equals(other.memory)
    }

    private func hasNumbers(of other: PackedLinear) -> Bool {
        guard inputs == other.inputs, outputs == other.outputs else { return false }
        guard let own = try? FloatBuffer(count: inputs * Self.panel),
            let others = try? FloatBuffer(count: inputs * Self.panel)
        else { return false }
        return (0..<panelCount).allSatisfy { panel in
            read(panel: panel, to: own.values)
            other.read(panel: panel, to: others.values)
            return own.equals(others)
        }
    }

    /// Sets the bias of `count` rows; columns without one keep zero.
    package func setBias(
        _ values: UnsafeRawPointer, type: StorageType, count: Int, at placement: Placement
    ) throws(ComputeError) {
        if bias == nil { bias = try FloatBuffer(count: panelCount * Self.panel) }
        guard let bias else { return }
        let row = [Float](unsafeUninitializedCapacity: count) { buffer, written in
            if let base = buffer.baseAddress {
                mk_convert(base, mk_float32, values, type.kernelType, count)
            }
            written = count
        }
        for (index, value) in row.enumerated() { bias.values[placement.column(index)] = value }
    }
}
