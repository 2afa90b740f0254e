import CKernels
import Testing

@testable import Compute

@Suite struct PackedLinearTests {
    static let formats: [WeightFormat] = [.float32, .bfloat16, .int8, .int4(group: 32), .int4(group: 64)]

    private static func matrix(_ rows: Int, _ columns: Int, seed: Int) -> [Float] {
        (0..<rows * columns).map { Float(($0 * 7919 + seed * 104729) % 2003 - 1001) / 1001 }
    }

    private static func multiply(
        _ layer: PackedLinear, _ x: [Float], accumulatedOnto start: Float? = nil, pool: WorkerPool, kernels: KernelSet
    ) throws -> [Float] {
        let count = x.count / layer.inputs
        let rows = try PreparedRows(capacity: count, inputs: layer.inputs, format: layer.format, kernels: kernels)
        x.withUnsafeBufferPointer { x in
            guard let base = x.baseAddress else { return }
            for row in 0..<count { rows.prepare(row, from: base + row * layer.inputs) }
        }
        let out = try FloatBuffer(count: count * layer.outputs)
        for index in 0..<out.count { out.values[index] = start ?? .nan }
        pool.run { worker in
            layer.multiply(
                panels: worker.share(of: layer.panelCount), rows, 0..<count,
                into: LinearOutput(out.values, stride: layer.outputs, accumulates: start != nil), kernels)
        }
        return (0..<out.count).map { out.values[$0] }
    }

    /// Layers packed side by side by several workers give what each gives alone.
    @Test(arguments: formats)
    func fusedLayersAreTheirParts(format: WeightFormat) throws {
        let pool = WorkerPool(workerCount: 2)
        let k = 100
        let parts = [(rows: 64, seed: 1), (rows: 33, seed: 2), (rows: 7, seed: 3)]
        let fused = try PackedLinear(inputs: k, outputs: 104, format: format)
        let x = Self.matrix(5, k, seed: 9)
        var column = 0
        for part in parts {
            fused.pack(
                Self.matrix(part.rows, k, seed: part.seed), type: .float32, rows: part.rows,
                at: .columns(from: column), pool: pool)
            column += part.rows
        }
        for kernels in KernelSet.available {
            let whole = try Self.multiply(fused, x, pool: pool, kernels: kernels)
            column = 0
            for part in parts {
                let alone = try PackedLinear(inputs: k, outputs: part.rows, format: format)
                alone.pack(Self.matrix(part.rows, k, seed: part.seed), type: .float32, rows: part.rows)
                let found = try Self.multiply(alone, x, pool: pool, kernels: kernels)
                for row in 0..<5 {
                    #expect(
                        Array(found[row * part.rows..<(row + 1) * part.rows])
                            == Array(whole[row * 104 + column..<row * 104 + column + part.rows]), "\(kernels.name)")
                }
                column += part.rows
            }
        }
    }

    /// How panels are divided among threads changes no bit, and neither does which rows a call takes.
    @Test(arguments: formats)
    func threadsChangeNothing(format: WeightFormat) throws {
        let k = 2100
        let layer = try PackedLinear(inputs: k, outputs: 100, format: format)
        layer.pack(Self.matrix(100, k, seed: 7), type: .float32, rows: 100)
        let x = Self.matrix(258, k, seed: 8)
        for kernels in KernelSet.available where kernels.name != "scalar" {
            let expected = try Self.multiply(layer, x, pool: WorkerPool(workerCount: 1), kernels: kernels)
            for workers in [2, 3] {
                let pool = WorkerPool(workerCount: workers)
                #expect(try Self.multiply(layer, x, pool: pool, kernels: kernels) == expected, "\(kernels.name)")
                let one = try Self.multiply(layer, Array(x[..<k]), pool: pool, kernels: kernels)
                #expect(one == Array(expected[..<100]), "\(kernels.name)")
            }
        }
    }

    @Test func compressedLayersGiveTheSameBits() throws {
        let pool = WorkerPool(workerCount: 2)
        let plain = try PackedLinear(inputs: 300, outputs: 130, format: .bfloat16)
        plain.pack(Self.matrix(130, 300, seed: 4), type: .float32, rows: 130)
        try plain.setBias(Self.matrix(1, 130, seed: 5), type: .float32, count: 130, at: .columns(from: 0))
        let compressed = try plain.compressed(pool: pool)
        let x = Self.matrix(40, 300, seed: 6)
        for kernels in KernelSet.available {
            let expected = try Self.multiply(plain, x, accumulatedOnto: 1, pool: pool, kernels: kernels)
            #expect(try Self.multiply(compressed, x, accumulatedOnto: 1, pool: pool, kernels: kernels) == expected)
        }
        var column = [Float](repeating: 0, count: 300)
        var original = column
        compressed.read(column: 129, 0..<300, to: &column)
        plain.read(column: 129, 0..<300, to: &original)
        #expect(column == original)
    }

    @Test(arguments: formats)
    func gatedLayersActivate(format: WeightFormat) throws {
        let (k, columns) = (64, 40)
        let pool = WorkerPool(workerCount: 2)
        let layer = try PackedLinear.gated(inputs: k, columns: columns, format: format)
        layer.pack(Self.matrix(columns, k, seed: 1), type: .float32, rows: columns, at: .gate, pool: pool)
        layer.pack(Self.matrix(columns, k, seed: 2), type: .float32, rows: columns, at: .up, pool: pool)
        let x = Self.matrix(3, k, seed: 3)
        for kernels in KernelSet.available {
            let both = try Self.multiply(layer, x, pool: pool, kernels: kernels)
            let rows = try PreparedRows(capacity: 3, inputs: k, format: format, kernels: kernels)
            for row in 0..<3 { rows.prepare(row, from: Array(x[row * k..<(row + 1) * k])) }
            let out = try FloatBuffer(count: 3 * columns)
            layer.multiplyGated(
                pairs: 0..<2, rows, 0..<3, into: LinearOutput(out.values, stride: columns), columns: columns,
                activation: mk_relu, kernels)
            for row in 0..<3 {
                for column in 0..<columns {
                    let gate = both[row * layer.outputs + column / 32 * 64 + column % 32]
                    let up = both[row * layer.outputs + column / 32 * 64 + 32 + column % 32]
                    #expect(abs(out.values[row * columns + column] - max(gate, 0) * up) < 1e-4)
                }
            }
        }
    }

    @Test func greatestOutputOfWorkersMerges() {
        var best = mk_best.none
        best.merge(mk_best(value: 3, index: 70))
        best.merge(.none)
        best.merge(mk_best(value: 3, index: 7))
        best.merge(mk_best(value: 3, index: 8))
        #expect(best.index == 7)
        best.merge(mk_best(value: 4, index: 9))
        #expect(best.index == 9)
    }

    @Test func impossibleLayersAreRefused() {
        #expect(throws: ComputeError.self) { try PackedLinear(inputs: 8, outputs: 8, format: .int4(group: 48)) }
        #expect(throws: ComputeError.self) { try PackedLinear(inputs: 8, outputs: 8, format: .compressedBfloat16) }
        #expect(throws: ComputeError.self) { try PackedLinear(inputs: .max, outputs: 8, format: .int8) }
    }

    /// Memory of a layer that is no longer needed serves another one, which sees nothing of it.
    @Test(arguments: PackedLinearTests.formats)
    func usedMemoryIsAsGoodAsNew(format: WeightFormat) throws {
        let (outputs, inputs) = (45, 33)
        let large = Self.matrix(160, 70, seed: 1)
        let small = Self.matrix(outputs, inputs, seed: 2)
        let spare = try PackedLinear(inputs: 70, outputs: 160, format: format)
        spare.pack(large, type: .float32, rows: 160)
        let fresh = try PackedLinear(inputs: inputs, outputs: outputs, format: format)
        let reused = try PackedLinear(inputs: inputs, outputs: outputs, format: format, reusing: spare)
        for layer in [fresh, reused] { layer.pack(small, type: .float32, rows: outputs) }
        #expect(reused.byteCount > fresh.byteCount)
        let fitted = try reused.fitted()
        #expect(fitted.byteCount == fresh.byteCount && fitted.hasWeights(of: fresh))
        #expect(try fresh.fitted() === fresh)
    }
}
