import CKernels
import Testing

@Suite struct WeightFormatTests {
    @Test(arguments: Format.all)
    func packedWeightsReadBack(format: Format) {
        var random = Seeded(6)
        // The greatest error: half a step, of which there are 127 or 8, and what a float16 scale is off.
        let tolerance: Float =
            switch format.format {
            case mk_format_float32: 0
            case mk_format_int8: 0.51 / 127
            case mk_format_int4: 1.01 / 8
            default: 1 / 256
            }
        for (n, k) in [(33, 7), (64, 8), (1, 1), (40, 700)] {
            let matrix = random.floats(n * k)
            let w = Weights(matrix, n: n, k: k, format)
            for column in 0..<n {
                let expected = Array(matrix[column * k..<(column + 1) * k])
                #expect(relativeDifference(w.column(column), expected) <= tolerance)
            }
        }
    }

    @Test func sourcesOfTheSameValuesPackAlike() {
        var random = Seeded(7)
        let (n, k) = (40, 1100)
        let matrix = random.floats(n * k).map { Float(bitPattern: $0.bitPattern & 0xFFFF_0000) }
        var halves = [UInt16](repeating: 0, count: n * k)
        mk_convert(&halves, mk_bfloat16, matrix, mk_float32, n * k)
        for format in Format.all where format.isExact {
            let expected = Weights(matrix, n: n, k: k, format)
            let bytes = Bytes(mk_weights_bytes(format.format, Int32(format.group), Int32(n), Int32(k)))
            var w = mk_weights(
                data: bytes.pointer, format: format.format, group: Int32(format.group), n: Int32(n), k: Int32(k))
            mk_clear_weights(&w, 0, 2)
            mk_pack_weights(&w, 0, false, halves, mk_bfloat16, Int32(n))
            for column in 0..<n {
                var row = [Float](repeating: 0, count: k)
                withExtendedLifetime(bytes) { mk_unpack_weights(&w, Int32(column), 0, Int32(k), &row) }
                #expect(row == expected.column(column))
            }
        }
    }

    /// Compression loses nothing, whatever the bits are, and gives the same products in every bit.
    @Test func compressionIsLossless() {
        var random = Seeded(8)
        let (n, k) = (75, 1031)
        let anything = (0..<n * k).map { _ in Float(bitPattern: UInt32.random(in: 0...UInt32.max, using: &random)) }
        // Magnitudes like those of a trained layer, with a few outliers and zeros.
        let usual = (0..<n * k).map { index -> Float in
            let sum = random.floats(6).reduce(0, +) / 50
            return index % 977 == 0 ? sum * 1e9 : index % 331 == 0 ? 0 : sum
        }
        for (matrix, isUsual) in [(anything, false), (usual, true)] {
            let plain = Weights(matrix, n: n, k: k, Format(format: mk_format_bfloat16))
            let compressed = Weights(matrix, n: n, k: k, Format(format: mk_format_bfloat16_compressed))
            #expect(compressed.wholePairs > 0 && (compressed.wholePairs < n / 32 * k / 4) == isUsual)
            for column in 0..<n {
                #expect(plain.column(column).map(\.bitPattern) == compressed.column(column).map(\.bitPattern))
            }
            for isa in vectorSets {
                let set = linear(isa)
                for count in [1, 7, 30] {
                    let rows = Rows(set, Format(format: mk_format_bfloat16), random.floats(count * k), k: k)
                    #expect(
                        set.product(plain, rows).map(\.bitPattern)
                            == set.product(compressed, rows).map(\.bitPattern), "\(name(isa)), \(count) rows")
                }
            }
        }
    }

    /// The rule of the bfloat16 dot instruction: odd inputs of a pair first, subnormals are zero, before and after.
    @Test(.enabled(if: mk_isa_available(mk_isa_avx512_bf16)))
    func dotInstructionFollowsItsRule() {
        var random = Seeded(9)
        let (n, k) = (32, 64)
        func flushed(_ x: Float) -> Float { x.isSubnormal || x.isZero ? (x.sign == .minus ? -0.0 : 0.0) : x }
        let format = Format(format: mk_format_bfloat16)
        let set = linear(mk_isa_avx512_bf16)
        for _ in 0..<20 {
            func values(_ count: Int) -> [Float] {
                (0..<count).map { _ in
                    let exponent = UInt32.random(in: 0...100, using: &random)
                    let bits = UInt32.random(in: 0...0x1FF, using: &random)
                    return Float(bitPattern: (bits & 0x100) << 23 | exponent << 23 | (bits & 0x7F) << 16)
                }
            }
            let matrix = values(n * k)
            let x = values(k)
            let found = set.product(Weights(matrix, n: n, k: k, format), Rows(set, format, x, k: k))
            for column in 0..<n {
                var sum: Float = 0
                for pair in 0..<k / 2 {
                    for i in [2 * pair + 1, 2 * pair] {
                        sum = flushed(sum.addingProduct(flushed(x[i]), flushed(matrix[column * k + i])))
                    }
                }
                #expect(found[column] == sum)
            }
        }
    }
}
