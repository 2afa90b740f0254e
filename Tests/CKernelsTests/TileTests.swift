import CKernels
import Testing

/// Sets that multiply by tiles: that of the processor, where it has one, and its emulation.
private let tileSets = [mk_isa_amx, mk_isa_amx_emulated].filter(mk_isa_available)

@Suite struct TileTests {
    private static let pairs = Format(format: mk_format_bfloat16)

    /// What decides whether a processor's tiles are trusted.
    @Test func agreementIsOfEveryBit() {
        let scalar = mk_linear_kernels_for(mk_isa_scalar)
        #expect(mk_linear_agree(scalar, scalar))
        for tiles in tileSets.map(mk_linear_kernels_for) {
            #expect(mk_linear_agree(tiles, tiles))
            // Integers agree; bfloat16 is summed in another order.
            #expect(!mk_linear_agree(scalar, tiles))
        }
    }

    /// The rule of the tile product: 32 inputs at a time, even and odd ones summed apart, then together, then onto what was
    /// there; subnormals are zero, before and after.
    @Test func tileProductsFollowTheirRule() {
        var random = Seeded(31)
        func flushed(_ x: Float) -> Float { x.isSubnormal || x.isZero ? (x.sign == .minus ? -0.0 : 0.0) : x }
        for k in [64, 32, 45, 150] {
            let n = 35
            // Exponents of `range`, whose products are subnormal, or sums of unlike numbers.
            for range in [0...100, 110...140] as [ClosedRange<UInt32>] {
                func values(_ count: Int) -> [Float] {
                    (0..<count).map { _ in
                        let exponent = UInt32.random(in: range, using: &random)
                        let bits = UInt32.random(in: 0...0x1FF, using: &random)
                        return Float(bitPattern: (bits & 0x100) << 23 | exponent << 23 | (bits & 0x7F) << 16)
                    }
                }
                let matrix = values(n * k)
                let x = values(k)
                let w = Weights(matrix, n: n, k: k, Self.pairs)
                for isa in tileSets {
                    let found = linear(isa).product(w, Rows(linear(isa), Self.pairs, x, k: k))
                    for column in 0..<n {
                        var sum: Float = 0
                        for start in stride(from: 0, to: k, by: 32) {
                            var parts: (even: Float, odd: Float) = (0, 0)
                            for i in start..<min(start + 32, k) {
                                let (a, b) = (flushed(x[i]), flushed(matrix[column * k + i]))
                                if i.isMultiple(of: 2) {
                                    parts.even = flushed(parts.even.addingProduct(a, b))
                                } else {
                                    parts.odd = flushed(parts.odd.addingProduct(a, b))
                                }
                            }
                            sum = flushed(sum + flushed(parts.even + parts.odd))
                        }
                        #expect(found[column] == sum, "\(name(isa)) \(k) \(range)")
                    }
                }
            }
        }
    }

    struct LongShape: CustomTestStringConvertible {
        let n: Int
        let k: Int
        let format: Format
        var testDescription: String { "n \(n) k \(k) \(format.testDescription)" }
    }

    /// K so long, or panels so many, that sums travel through memory between ranges of K.
    static let longShapes = [
        LongShape(n: 544, k: 2100, format: pairs), LongShape(n: 37, k: 2600, format: Format.all[2]),
        LongShape(n: 70, k: 4200, format: Format.all[3]), LongShape(n: 70, k: 4200, format: Format.all[4]),
        LongShape(n: 70, k: 4200, format: Format.all[5]),
    ]

    @Test(arguments: longShapes)
    func rangesChangeNothing(shape: LongShape) {
        var random = Seeded(32)
        let count = 259
        // Compression keeps pairs with the rare exponents whole.
        let matrix = random.floats(shape.n * shape.k).enumerated().map { $0 % 997 == 0 ? $1 * 1e-9 : $1 }
        let w = Weights(matrix, n: shape.n, k: shape.k, shape.format)
        let x = random.floats(count * shape.k)
        let bias = random.floats((shape.n + 31) / 32 * 32)
        let panels = (shape.n + 31) / 32
        for isa in tileSets {
            let set = linear(isa)
            let rows = Rows(set, shape.format, x, k: shape.k)
            let whole = set.product(w, rows, bias: bias, bounds: [0, panels / 2, panels])
            for range in [0..<1, 17..<34, 100..<133, 255..<256, 256..<259] {
                #expect(
                    set.product(w, rows, range, bias: bias)
                        == Array(whole[range.lowerBound * shape.n..<range.upperBound * shape.n]),
                    "\(name(isa)), rows \(range)")
            }
            let dots = mk_isa_available(mk_isa_avx512_vnni) ? mk_isa_avx512_vnni : mk_isa_avx2
            let expected = linear(dots).product(w, Rows(linear(dots), shape.format, x, k: shape.k), bias: bias)
            if shape.format.isExact { #expect(whole == expected, "\(name(isa))") }
            #expect(relativeDifference(whole, expected) < 1e-5, "\(name(isa))")
        }
    }

    /// Blocks of rows that overlap at the end of a group add to what is there once.
    @Test(arguments: Format.all.dropFirst())
    func everyNumberOfRowsIsAddedOnce(format: Format) {
        var random = Seeded(33)
        let (n, k) = (40, 70)
        let w = Weights(random.floats(n * k), n: n, k: k, format)
        for isa in tileSets {
            let set = linear(isa)
            let all = Rows(set, format, random.floats(100 * k), k: k)
            let onto = random.floats(100 * n)
            let whole = set.product(w, all, onto: onto)
            for count in 1..<100 {
                #expect(
                    set.product(w, all, 0..<count, onto: Array(onto[..<(count * n)])) == Array(whole[..<(count * n)]),
                    "\(name(isa)), \(count) rows")
            }
        }
    }

    /// Where the processor has tiles, the emulation gives its bits.
    @Test(.enabled(if: mk_isa_available(mk_isa_amx)), arguments: Format.all)
    func emulationIsTrue(format: Format) {
        var random = Seeded(34)
        for (n, k, count) in [(70, 200, 40), (33, 45, 1), (96, 2100, 257)] {
            let w = Weights(random.floats(n * k), n: n, k: k, format)
            let x = random.floats(count * k)
            let found = [mk_isa_amx, mk_isa_amx_emulated].map { isa in
                linear(isa).product(w, Rows(linear(isa), format, x, k: k)).map(\.bitPattern)
            }
            #expect(found[0] == found[1], "\(n) \(k) \(count)")
        }
    }
}
