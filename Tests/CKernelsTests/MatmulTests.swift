import CKernels
import Testing

@Suite struct MatmulTests {
    struct Shape: CustomTestStringConvertible {
        let n: Int
        let k: Int
        let storage: mk_storage
        var testDescription: String { "n \(n) k \(k) \(storage == mk_bfloat16 ? "bfloat16" : "float32")" }
    }

    static let shapes = [(32, 16), (1, 1), (33, 7), (64, 64), (100, 33), (97, 300), (31, 1100), (160, 513)].flatMap {
        [Shape(n: $0.0, k: $0.1, storage: mk_float32), Shape(n: $0.0, k: $0.1, storage: mk_bfloat16)]
    }

    private static func multiply(
        _ set: mk_kernels, _ w: Packed, _ a: [Float], rows: Int, bias: [Float]? = nil, onto: [Float]? = nil,
        panels: [Int]? = nil
    ) -> [Float] {
        let n = Int(w.packed.n)
        var c = onto ?? [Float](repeating: .nan, count: rows * n)
        let bounds = panels ?? [0, (n + 31) / 32]
        withUnsafePointer(to: w.packed) { packed in
            for (begin, end) in zip(bounds, bounds.dropFirst()) {
                if let bias {
                    set.tensor.matmul(
                        packed, Int32(begin), Int32(end), a, Int(w.packed.k), Int32(rows), &c, n, bias, onto != nil)
                } else {
                    set.tensor.matmul(
                        packed, Int32(begin), Int32(end), a, Int(w.packed.k), Int32(rows), &c, n, nil, onto != nil)
                }
            }
        }
        return c
    }

    @Test(arguments: shapes)
    func agreesWithTheReference(shape: Shape) {
        var random = Seeded(UInt64(shape.n * 1009 + shape.k))
        let w = Packed(random.floats(shape.n * shape.k), n: shape.n, k: shape.k, storage: shape.storage)
        let bias = random.floats((shape.n + 31) / 32 * 32)
        for rows in [1, 2, 3, 5, 9, 10, 11, 24, 130] {
            let a = random.floats(rows * shape.k)
            let residual = random.floats(rows * shape.n)
            for isa in vectorSets {
                let set = kernels(isa)
                let plain = Self.multiply(set, w, a, rows: rows)
                #expect(relativeDifference(plain, Self.multiply(reference, w, a, rows: rows)) < 1e-5, "\(name(isa))")
                let full = Self.multiply(set, w, a, rows: rows, bias: bias, onto: residual)
                let expected = Self.multiply(reference, w, a, rows: rows, bias: bias, onto: residual)
                #expect(relativeDifference(full, expected) < 1e-5, "\(name(isa)), \(rows) rows")
            }
        }
    }

    /// A row's bits depend neither on how many rows there are nor on where it stands nor on how panels are divided.
    @Test(arguments: shapes)
    func rowsAreIndependent(shape: Shape) {
        var random = Seeded(UInt64(shape.n * 31 + shape.k))
        let w = Packed(random.floats(shape.n * shape.k), n: shape.n, k: shape.k, storage: shape.storage)
        let rows = 140
        let a = random.floats(rows * shape.k)
        let panels = (shape.n + 31) / 32
        for isa in vectorSets + [mk_isa_scalar] {
            let set = kernels(isa)
            let whole = Self.multiply(set, w, a, rows: rows)
            for (first, count) in [(0, 1), (7, 1), (139, 1), (3, 2), (50, 13), (0, 127), (11, 129)] {
                let part = Self.multiply(
                    set, w, Array(a[first * shape.k..<(first + count) * shape.k]), rows: count,
                    panels: Array(0...panels))
                #expect(part == Array(whole[first * shape.n..<(first + count) * shape.n]), "\(name(isa))")
            }
        }
    }

    @Test(arguments: [mk_silu, mk_gelu, mk_gelu_tanh, mk_relu])
    func gatedAgreesWithTheReference(activation: mk_activation) {
        var random = Seeded(UInt64(activation.rawValue) + 77)
        for (columns, k, storage) in [(70, 48, mk_float32), (32, 600, mk_bfloat16), (5, 3, mk_float32)] {
            let pairs = (columns + 31) / 32
            let n = pairs * 64
            let w = Packed(random.floats(n * k), n: n, k: k, storage: storage)
            let bias = random.floats(n)
            for rows in [1, 4, 13, 150] {
                let a = random.floats(rows * k)
                func run(_ set: mk_kernels, _ first: Int, _ count: Int) -> [Float] {
                    var out = [Float](repeating: .nan, count: count * columns)
                    withUnsafePointer(to: w.packed) {
                        set.tensor.gated_matmul(
                            $0, 0, Int32(pairs), Array(a[(first * k)...]), k, Int32(count), &out, columns,
                            Int32(columns), bias, activation)
                    }
                    return out
                }
                let expected = run(reference, 0, rows)
                for isa in vectorSets {
                    let found = run(kernels(isa), 0, rows)
                    #expect(relativeDifference(found, expected) < 1e-5, "\(name(isa))")
                    #expect(run(kernels(isa), rows - 1, 1) == Array(found[((rows - 1) * columns)...]), "\(name(isa))")
                }
            }
        }
    }

    @Test func packedWeightsReadBack() {
        var random = Seeded(5)
        for (n, k) in [(33, 7), (64, 8), (1, 1)] {
            let matrix = random.floats(n * k)
            for storage in [mk_float32, mk_bfloat16] {
                let w = Packed(matrix, n: n, k: k, storage: storage)
                for column in 0..<n {
                    var row = [Float](repeating: 0, count: k)
                    withUnsafePointer(to: w.weights) { mk_unpack_weights($0, Int32(column), 0, Int32(k), &row) }
                    let expected = Array(matrix[column * k..<(column + 1) * k])
                    #expect(storage == mk_float32 ? row == expected : relativeDifference(row, expected) < 1 / 256)
                }
            }
        }
    }
}
