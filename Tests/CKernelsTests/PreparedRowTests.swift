import CKernels
import Testing

@Suite struct PreparedRowTests {
    /// A row with a bad number spoils its own products and nobody else's.
    @Test(arguments: Format.all)
    func badNumbersStayInTheirRow(format: Format) {
        var random = Seeded(21)
        let (n, k) = (70, 200)
        let w = Weights(random.floats(n * k), n: n, k: k, format)
        for isa in vectorSets + [mk_isa_scalar] {
            let set = linear(isa)
            for bad in [Float.nan, .infinity, -.infinity] {
                var x = random.floats(3 * k)
                let clean = set.product(w, Rows(set, format, x, k: k))
                x[k + 77] = bad
                let found = set.product(w, Rows(set, format, x, k: k))
                #expect(found[..<n] == clean[..<n] && found[(2 * n)...] == clean[(2 * n)...], "\(name(isa))")
                #expect(found[n..<2 * n].allSatisfy { !$0.isFinite }, "\(name(isa)) \(bad)")
            }
        }
    }

    @Test(arguments: Format.all)
    func badWeightsStayInTheirColumn(format: Format) {
        var random = Seeded(22)
        let (n, k) = (70, 200)
        let matrix = random.floats(n * k)
        let x = random.floats(3 * k)
        for bad in [Float.nan, .infinity] {
            var spoiled = matrix
            spoiled[40 * k + 130] = bad
            for isa in vectorSets + [mk_isa_scalar] {
                let set = linear(isa)
                let rows = Rows(set, format, x, k: k)
                let clean = set.product(Weights(matrix, n: n, k: k, format), rows)
                let found = set.product(Weights(spoiled, n: n, k: k, format), rows)
                for (index, value) in found.enumerated() {
                    #expect(index % n == 40 ? !value.isFinite : value == clean[index], "\(name(isa)) \(index)")
                }
            }
        }
    }

    /// Subnormal rows and weights do not leave the range of numbers on their way through a reciprocal.
    @Test(arguments: Format.all)
    func smallNumbersStayNumbers(format: Format) {
        var random = Seeded(23)
        let (n, k) = (33, 70)
        for scale: Float in [0, Float(bitPattern: 7), Float(bitPattern: 7000), 1e-31, 1e-29, 1e-20] {
            let w = Weights(random.floats(n * k), n: n, k: k, format)
            let small = Weights(random.floats(n * k).map { $0 * scale }, n: n, k: k, format)
            let x = random.floats(2 * k)
            for isa in vectorSets + [mk_isa_scalar] {
                let set = linear(isa)
                let rows = Rows(set, format, x.map { $0 * scale }, k: k)
                let found = set.product(w, rows)
                #expect(found.allSatisfy { abs($0) <= 70 * scale }, "\(name(isa)) \(scale)")
                if scale >= 1e-29 { #expect(found.contains { $0 != 0 }, "\(name(isa)) \(scale)") }
                #expect(set.product(small, Rows(set, format, x, k: k)).allSatisfy { abs($0) <= 70 * scale })
            }
        }
    }

    @Test(arguments: Format.all)
    func normIsNormThenPrepare(format: Format) {
        var random = Seeded(24)
        for k in [1, 16, 63, 64, 65, 577, 2048] {
            let x = random.floats(k, -3...3)
            let weight = random.floats(k)
            for isa in vectorSets + [mk_isa_scalar] {
                let set = linear(isa)
                var expected = [Float](repeating: 0, count: k)
                kernels(isa).tensor.rms_norm(x, weight, 1e-5, Int32(k), &expected)
                let bytes = set.row_bytes(format.format, Int32(k))
                let separate = Bytes(bytes)
                set.prepare(format.format, expected, Int32(k), separate.pointer)
                let together = Bytes(bytes)
                var out = [Float](repeating: 0, count: k)
                set.norm(format.format, x, weight, 1e-5, Int32(k), together.pointer, &out)
                #expect(out == expected, "\(name(isa)) \(k)")
                let same = UnsafeRawBufferPointer(start: together.pointer, count: bytes)
                    .elementsEqual(UnsafeRawBufferPointer(start: separate.pointer, count: bytes))
                #expect(same, "\(name(isa)) \(k)")
                let alone = Bytes(bytes)
                set.norm(format.format, x, weight, 1e-5, Int32(k), alone.pointer, nil)
                #expect(
                    UnsafeRawBufferPointer(start: alone.pointer, count: bytes)
                        .elementsEqual(UnsafeRawBufferPointer(start: separate.pointer, count: bytes)), "\(name(isa))")
            }
        }
    }
}
