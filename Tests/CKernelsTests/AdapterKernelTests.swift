import CKernels
import Testing

@Suite struct AdapterKernelTests {
    struct Shape: CustomTestStringConvertible {
        let rank: Int
        let k: Int
        let storage: mk_storage
        var testDescription: String { "rank \(rank) k \(k) \(storage == mk_bfloat16 ? "bfloat16" : "float32")" }
    }

    static let shapes = [(1, 1), (4, 16), (8, 33), (16, 256), (3, 7), (5, 1000), (64, 129)].flatMap {
        [Shape(rank: $0.0, k: $0.1, storage: mk_float32), Shape(rank: $0.0, k: $0.1, storage: mk_bfloat16)]
    }

    /// A in its storage type; kept as bytes.
    private static func stored(_ values: [Float], _ storage: mk_storage) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: values.count * (storage == mk_bfloat16 ? 2 : 4))
        bytes.withUnsafeMutableBytes { bytes in
            guard let to = bytes.baseAddress else { return }
            values.withUnsafeBytes { from in
                if let from = from.baseAddress { mk_convert(to, storage, from, mk_float32, values.count) }
            }
        }
        return bytes
    }

    private static func shrink(
        _ set: mk_kernels, _ shape: Shape, _ a: [UInt8], _ x: ArraySlice<Float>, tokens: Int
    ) -> [Float] {
        var out = [Float](repeating: .nan, count: tokens * shape.rank)
        Array(x).withUnsafeBufferPointer { x in
            guard let x = x.baseAddress else { return }
            set.tensor.shrink(
                a, shape.storage, Int32(shape.rank), Int32(shape.k), x, shape.k, Int32(tokens), 0.7, &out, shape.rank)
        }
        return out
    }

    @Test(arguments: shapes)
    func shrinkAgreesWithTheReference(shape: Shape) {
        var random = Seeded(UInt64(shape.rank * 1009 + shape.k))
        let a = Self.stored(random.floats(shape.rank * shape.k), shape.storage)
        for tokens in [1, 2, 3, 4, 5, 16, 17] {
            let x = random.floats(tokens * shape.k)
            let expected = Self.shrink(reference, shape, a, x[...], tokens: tokens)
            for isa in vectorSets {
                let found = Self.shrink(kernels(isa), shape, a, x[...], tokens: tokens)
                #expect(relativeDifference(found, expected) < 1e-5, "\(name(isa)), \(tokens) tokens")
            }
        }
    }

    /// A token's bits depend neither on how many there are nor on where it stands.
    @Test(arguments: shapes)
    func tokensAreIndependent(shape: Shape) {
        var random = Seeded(UInt64(shape.rank * 31 + shape.k))
        let a = Self.stored(random.floats(shape.rank * shape.k), shape.storage)
        let tokens = 11
        let x = random.floats(tokens * shape.k)
        for isa in vectorSets + [mk_isa_scalar] {
            let together = Self.shrink(kernels(isa), shape, a, x[...], tokens: tokens)
            let alone = (0..<tokens).flatMap {
                Self.shrink(kernels(isa), shape, a, x[($0 * shape.k)..<(($0 + 1) * shape.k)], tokens: 1)
            }
            #expect(together == alone, "\(name(isa))")
        }
    }

    /// Expanding is the product added to what is there, wherever its panels lie.
    @Test(arguments: [(1, 70), (8, 64), (16, 200), (17, 33), (64, 32)])
    func expandIsTheAccumulatedProduct(rank: Int, columns: Int) {
        var random = Seeded(UInt64(rank + columns))
        let panels = (columns + 31) / 32
        let tokens = 7
        let vectors = random.floats(tokens * rank)
        let before = random.floats(tokens * panels * 64)
        for storage in [mk_float32, mk_bfloat16] {
            let b = Packed(random.floats(columns * rank), n: columns, k: rank, storage: storage)
            for isa in vectorSets + [mk_isa_scalar] {
                let set = kernels(isa).tensor
                for (first, distance) in [(0, 32), (0, 64), (panels - 1, 32)] {
                    var expected = before
                    var found = before
                    let stride = panels * 64
                    withUnsafePointer(to: b.packed) { packed in
                        for panel in first..<panels {
                            let at = (panel - first) * distance - panel * 32
                            expected.withUnsafeMutableBufferPointer {
                                guard let base = $0.baseAddress else { return }
                                set.matmul(
                                    packed, Int32(panel), Int32(panel + 1), vectors, rank, Int32(tokens), base + at,
                                    stride, nil, true)
                            }
                        }
                        set.expand(
                            packed, Int32(first), Int32(panels), vectors, rank, Int32(tokens), &found, stride, distance)
                    }
                    #expect(found == expected, "\(name(isa)), from panel \(first), \(distance) apart")
                    #expect(found != before)
                }
            }
        }
    }

    /// The product and then the gate give the bits of the fused kernel, so tokens with and without adapters may meet.
    @Test(arguments: [mk_silu, mk_gelu, mk_gelu_tanh, mk_relu])
    func gateAfterTheProductIsTheFusedKernel(activation: mk_activation) {
        var random = Seeded(5)
        let (columns, k, rows) = (75, 40, 13)
        let pairs = (columns + 31) / 32
        for storage in [mk_float32, mk_bfloat16] {
            let w = Packed(random.floats(pairs * 64 * k), n: pairs * 64, k: k, storage: storage)
            let x = random.floats(rows * k)
            for isa in vectorSets + [mk_isa_scalar] {
                let set = kernels(isa).tensor
                var fused = [Float](repeating: .nan, count: rows * columns)
                var product = [Float](repeating: .nan, count: rows * pairs * 64)
                var gated = fused
                withUnsafePointer(to: w.packed) { packed in
                    set.gated_matmul(
                        packed, 0, Int32(pairs), x, k, Int32(rows), &fused, columns, Int32(columns), nil, activation)
                    set.matmul(packed, 0, Int32(pairs * 2), x, k, Int32(rows), &product, pairs * 64, nil, false)
                }
                set.gate(product, pairs * 64, 0, Int32(pairs), Int32(rows), &gated, columns, Int32(columns), activation)
                #expect(gated == fused, "\(name(isa))")
            }
        }
    }

    @Test func aColumnIsAppended() {
        let matrix: [Float] = [1, 2, 3, 4, 5, 6]
        var out = [Float](repeating: 0, count: 9)
        mk_append_column(&out, matrix, mk_float32, 3, 2, [7, 8, 9] as [Float], mk_float32)
        #expect(out == [1, 2, 7, 3, 4, 8, 5, 6, 9])
    }
}
