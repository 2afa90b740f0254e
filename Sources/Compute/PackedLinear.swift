import CKernels

/// Element types in which weights are held; arithmetic is in float.
package enum StorageType: Sendable {
    case float32, float16, bfloat16

    package var kernelType: mk_storage {
        switch self {
        case .float32: mk_float32
        case .float16: mk_float16
        case .bfloat16: mk_bfloat16
        }
    }

    package var byteCount: Int { self == .float32 ? 4 : 2 }
}

/// The weights of a linear layer in the kernels' panel layout, with its bias.
///
/// Several matrices with the same input may share one (q, k and v), each at its own output columns, or alternate panel
/// by panel (gate and up), so that one pass over the input serves them all.
package final class PackedLinear: @unchecked Sendable {
    package let inputs: Int
    package let outputs: Int
    package let storage: StorageType
    private let memory: Memory
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

    package init(inputs: Int, outputs: Int, storage: StorageType) throws(ComputeError) {
        guard let n = Int32(exactly: outputs), let k = Int32(exactly: inputs), n > 0, k > 0 else {
            throw ComputeError("a linear layer of \(inputs) inputs and \(outputs) outputs is not possible")
        }
        self.inputs = inputs
        self.outputs = outputs
        self.storage = storage
        memory = try Memory(byteCount: mk_packed_bytes(storage.kernelType, n, k))
    }

    /// A layer for gate and up matrices of `columns` outputs each, with alternating panels.
    package static func gated(inputs: Int, columns: Int, storage: StorageType) throws(ComputeError) -> PackedLinear {
        let panels = (columns + panel - 1) / panel
        return try PackedLinear(inputs: inputs, outputs: 2 * panels * panel, storage: storage)
    }

    package var panelCount: Int { (outputs + Self.panel - 1) / Self.panel }

    package var byteCount: Int { memory.byteCount + (bias?.count ?? 0) * 4 }

    /// What the kernels are given; valid while this object lives.
    package var packed: mk_packed {
        mk_packed(data: memory.pointer, storage: storage.kernelType, n: Int32(outputs), k: Int32(inputs))
    }

    /// Packs a row-major `[rows][inputs]` matrix, spread over the pool. Before the layer is first used.
    package func pack(
        _ matrix: UnsafeRawPointer, type: StorageType, rows: Int, at placement: Placement, pool: WorkerPool
    ) {
        precondition(placement.column(rows - 1) < outputs)
        let blocks = (rows + Self.panel - 1) / Self.panel
        nonisolated(unsafe) let matrix = matrix
        pool.run { worker in
            let range = worker.share(of: blocks)
            let begin = range.lowerBound * Self.panel
            let count = min(range.upperBound * Self.panel, rows) - begin
            guard count > 0 else { return }
            mk_pack(
                self.memory.pointer, self.storage.kernelType, Int32(self.inputs), Int32(placement.column(begin)),
                placement.isInterleaved, matrix + begin * self.inputs * type.byteCount, type.kernelType, Int32(count))
        }
    }

    /// Packs a row-major `[outputs][inputs]` matrix on the calling thread. Before the layer is first used.
    package func pack(_ matrix: UnsafeRawPointer, type: StorageType, rows: Int, from column: Int = 0) {
        precondition(column + rows <= outputs)
        mk_pack(
            memory.pointer, storage.kernelType, Int32(inputs), Int32(column), false, matrix, type.kernelType,
            Int32(rows))
    }

    /// One panel as weights of its own.
    package func panel(_ index: Int) -> mk_packed { panels(index..<index + 1) }

    /// A run of panels as weights of their own.
    package func panels(_ range: Range<Int>) -> mk_packed {
        let bytes = mk_packed_bytes(storage.kernelType, Int32(Self.panel), Int32(inputs))
        let columns = min(range.upperBound * Self.panel, outputs) - range.lowerBound * Self.panel
        return mk_packed(
            data: memory.pointer + range.lowerBound * bytes, storage: storage.kernelType, n: Int32(columns),
            k: Int32(inputs))
    }

    /// Whether the weights of both are the same in every bit; biases do not count.
    package func hasWeights(of other: PackedLinear) -> Bool {
        inputs == other.inputs && outputs == other.outputs && storage == other.storage && memory.equals(other.memory)
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
