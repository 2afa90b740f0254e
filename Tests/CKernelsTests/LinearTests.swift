import CKernels
import Testing

@Suite struct LinearTests {
    struct Shape: CustomTestStringConvertible {
        let n: Int
        let k: Int
        let format: Format
        var testDescription: String { "n \(n) k \(k) \(format.testDescription)" }
    }

    static let shapes = [(32, 64), (1, 1), (33, 7), (70, 33), (64, 128), (100, 259), (31, 1100), (96, 2050)].flatMap {
        size in Format.all.map { Shape(n: size.0, k: size.1, format: $0) }
    }

    @Test(arguments: shapes)
    func agreesWithTheReference(shape: Shape) {
        var random = Seeded(UInt64(shape.n * 1009 + shape.k))
        let w = Weights(random.floats(shape.n * shape.k), n: shape.n, k: shape.k, shape.format)
        let bias = random.floats((shape.n + 31) / 32 * 32)
        for rows in [1, 2, 3, 5, 9, 11, 24] {
            let x = random.floats(rows * shape.k)
            let residual = random.floats(rows * shape.n)
            let expectedRows = Rows(plainLinear, shape.format, x, k: shape.k)
            let expected = plainLinear.product(w, expectedRows)
            let expectedFull = plainLinear.product(w, expectedRows, bias: bias, onto: residual)
            for isa in vectorSets {
                let set = linear(isa)
                let prepared = Rows(set, shape.format, x, k: shape.k)
                let found = set.product(w, prepared)
                let full = set.product(w, prepared, bias: bias, onto: residual)
                if shape.format.isExact {
                    #expect(found == expected, "\(name(isa)), \(rows) rows")
                    #expect(full == expectedFull, "\(name(isa)), \(rows) rows")
                } else {
                    #expect(relativeDifference(found, expected) < 1e-5, "\(name(isa)), \(rows) rows")
                    #expect(relativeDifference(full, expectedFull) < 1e-5, "\(name(isa)), \(rows) rows")
                }
            }
        }
    }

    /// A row's bits depend neither on how many rows there are nor on where it stands nor on how panels are divided.
    @Test(arguments: shapes)
    func rowsAreIndependent(shape: Shape) {
        var random = Seeded(UInt64(shape.n * 31 + shape.k))
        let w = Weights(random.floats(shape.n * shape.k), n: shape.n, k: shape.k, shape.format)
        let x = random.floats(140 * shape.k)
        for isa in vectorSets {
            let set = linear(isa)
            let rows = Rows(set, shape.format, x, k: shape.k)
            let whole = set.product(w, rows)
            for range in [0..<1, 7..<8, 139..<140, 3..<5, 50..<63, 0..<127, 11..<140] {
                let part = set.product(w, rows, range, bounds: Array(0...(shape.n + 31) / 32))
                #expect(
                    part == Array(whole[range.lowerBound * shape.n..<range.upperBound * shape.n]),
                    "\(name(isa)), rows \(range)")
            }
        }
    }

    @Test(arguments: Format.all)
    func gatedIsProductThenGate(format: Format) {
        var random = Seeded(77)
        for (columns, k) in [(70, 48), (32, 600), (5, 3)] {
            let pairs = (columns + 31) / 32
            let n = pairs * 64
            let w = Weights(random.floats(n * k), n: n, k: k, format)
            let bias = random.floats(n)
            for isa in vectorSets + [mk_isa_scalar] {
                let set = kernels(isa)
                for count in [1, 4, 13, 150] {
                    let rows = Rows(linear(isa), format, random.floats(count * k), k: k)
                    let both = linear(isa).product(w, rows, bias: bias)
                    var expected = [Float](repeating: .nan, count: count * columns)
                    set.tensor.gate(both, n, 0, Int32(pairs), Int32(count), &expected, columns, Int32(columns), mk_silu)
                    var found = [Float](repeating: .nan, count: count * columns)
                    found.withUnsafeMutableBufferPointer { found in
                        guard let base = found.baseAddress else { return }
                        bias.withUnsafeBufferPointer { bias in
                            var output = mk_output(
                                values: base, stride: columns, bias: bias.baseAddress, accumulate: false)
                            withExtendedLifetime((w, rows)) {
                                var weights = w.weights
                                linear(isa).multiply_gated(
                                    &weights, 0, Int32(pairs), rows.bytes.pointer, rows.stride, Int32(count), &output,
                                    Int32(columns), mk_silu)
                            }
                        }
                    }
                    // The scalar float product adds its bias in double.
                    #expect(
                        relativeDifference(found, expected) < (isa == mk_isa_scalar ? 1e-6 : 0.0001), "\(name(isa))")
                    if format.format != mk_format_float32 { #expect(found == expected, "\(name(isa)), \(count) rows") }
                }
            }
        }
    }

    @Test(arguments: Format.all)
    func greatestOutputIsFound(format: Format) {
        var random = Seeded(4)
        let (n, k, count) = (203, 96, 37)
        // Few distinct weights make ties.
        let matrix = (0..<n * k).map { _ in Float(Int.random(in: -1...1, using: &random)) }
        let x = (0..<count * k).map { _ in Float(Int.random(in: -1...1, using: &random)) }
        let w = Weights(matrix, n: n, k: k, format)
        for isa in vectorSets + [mk_isa_scalar] {
            let set = linear(isa)
            let rows = Rows(set, format, x, k: k)
            let all = set.product(w, rows)
            for bounds in [[0, 7], [5, 7, 0, 5], [0, 1, 2, 3, 4, 5, 6, 7]] {
                var best = [mk_best](repeating: mk_best(value: 0, index: -1), count: count)
                for (begin, end) in zip(bounds, bounds.dropFirst()) where begin < end {
                    withExtendedLifetime((w, rows)) {
                        var weights = w.weights
                        set.argmax(
                            &weights, Int32(begin), Int32(end), rows.bytes.pointer, rows.stride, Int32(count), nil,
                            &best)
                    }
                }
                for row in 0..<count {
                    let outputs = all[row * n..<(row + 1) * n]
                    let expected = outputs.firstIndex(of: outputs.max() ?? 0).map { $0 - outputs.startIndex }
                    #expect(Int(best[row].index) == expected, "\(name(isa))")
                }
            }
        }
    }
}
