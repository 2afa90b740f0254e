import CKernels
import Testing

@Suite struct LayerTests {
    @Test func normAgreesWithTheReference() {
        var random = Seeded(11)
        for n in [1, 3, 16, 17, 63, 64, 65, 256, 1000, 4096] {
            let x = random.floats(n, -3...3)
            let weight = random.floats(n)
            func run(_ set: mk_kernels) -> [Float] {
                var out = [Float](repeating: 0, count: n)
                set.tensor.rms_norm(x, weight, 1e-5, Int32(n), &out)
                return out
            }
            for isa in vectorSets {
                #expect(relativeDifference(run(kernels(isa)), run(reference)) < 1e-6, "\(name(isa))")
            }
        }
    }

    @Test func layerNormAgreesWithTheReference() {
        var random = Seeded(13)
        for n in [1, 3, 16, 17, 63, 64, 65, 256, 1000, 4096] {
            // Far from zero, where a variance by squares alone would lose its digits.
            let x = random.floats(n, 20...23)
            let weight = random.floats(n)
            let bias = random.floats(n)
            func run(_ set: mk_kernels, _ bias: [Float]?) -> [Float] {
                var out = [Float](repeating: 0, count: n)
                bias.withPointer { set.tensor.layer_norm(x, weight, $0, 1e-5, Int32(n), &out) }
                return out
            }
            for isa in vectorSets {
                for bias in [bias, nil] {
                    #expect(relativeDifference(run(kernels(isa), bias), run(reference, bias)) < 2e-5, "\(name(isa))")
                }
            }
        }
    }

    @Test func activationsAgreeWithTheReference() {
        var random = Seeded(14)
        for columns in [1, 5, 16, 32, 37] {
            let x = random.floats(3 * 40, -6...6)
            for activation in [mk_silu, mk_gelu, mk_gelu_tanh, mk_relu] {
                func run(_ set: mk_kernels) -> [Float] {
                    var x = x
                    set.tensor.activate(&x, 40, 3, Int32(columns), activation)
                    return x
                }
                for isa in vectorSets {
                    let found = run(kernels(isa))
                    #expect(relativeDifference(found, run(reference)) < 1e-6, "\(name(isa))")
                    for row in 0..<3 {
                        #expect(found[row * 40 + columns..<row * 40 + 40] == x[row * 40 + columns..<row * 40 + 40])
                    }
                }
            }
        }
    }

    @Test func ropeAgreesWithTheReference() {
        var random = Seeded(12)
        for (heads, dim, rotary) in [(3, 64, 64), (1, 10, 10), (4, 80, 32), (2, 24, 2)] {
            let x = random.floats(heads * dim)
            let cosine = random.floats(rotary / 2)
            let sine = random.floats(rotary / 2)
            func run(_ set: mk_kernels) -> [Float] {
                var x = x
                set.tensor.rope(&x, Int32(heads), Int32(dim), Int32(rotary), cosine, sine)
                return x
            }
            for isa in vectorSets {
                #expect(relativeDifference(run(kernels(isa)), run(reference)) < 1e-6, "\(name(isa))")
            }
        }
    }

    @Test func exponentialIsExactWhereItMustBe() {
        let edges: [Float] = [0, -0.0, -87.2, -87.4, -1000, -.infinity, -1e-30, -0.5, -20]
        for isa in vectorSets {
            var out = [Float](repeating: 0, count: edges.count)
            _ = kernels(isa).row.exp_sum(edges, Int32(edges.count), 0, &out)
            #expect(out[0] == 1 && out[1] == 1 && out[6] == 1, "\(name(isa))")
            #expect(out[3] == 0 && out[4] == 0 && out[5] == 0, "\(name(isa))")
            var expected = [Float](repeating: 0, count: edges.count)
            _ = reference.row.exp_sum(edges, Int32(edges.count), 0, &expected)
            for index in [2, 7, 8] {
                #expect(abs(out[index] - expected[index]) <= 4 * expected[index].ulp, "\(name(isa))")
            }
        }
    }

    @Test func halfPrecisionConvertsExactly() {
        let all = (0...UInt16.max).map { $0 }
        var floats = [Float](repeating: 0, count: all.count)
        mk_convert(&floats, mk_float32, all, mk_float16, all.count)
        for (bits, value) in zip(all, floats) {
            let expected = Float(Float16(bitPattern: bits))
            #expect(value == expected || (value.isNaN && expected.isNaN), "\(bits)")
        }
    }

    @Test func bfloat16RoundsToNearestEven() {
        let cases: [(Float, UInt16)] = [
            (1, 0x3F80), (-2, 0xC000), (0, 0), (.infinity, 0x7F80), (1 + 1 / 256, 0x3F80), (1 + 3 / 256, 0x3F82),
            (1 + 1 / 256 + 1e-6, 0x3F81), (.greatestFiniteMagnitude, 0x7F80),
        ]
        for (value, expected) in cases {
            var bits: [UInt16] = [0]
            mk_convert(&bits, mk_bfloat16, [value], mk_float32, 1)
            #expect(bits[0] == expected, "\(value)")
        }
        var bits: [UInt16] = [0]
        var back: [Float] = [0]
        mk_convert(&bits, mk_bfloat16, [Float(bitPattern: 0x7F80_0001)], mk_float32, 1)
        mk_convert(&back, mk_float32, bits, mk_bfloat16, 1)
        #expect(back[0].isNaN)
    }
}

extension [Float]? {
    /// Calls `body` with the elements, or with null for nil.
    fileprivate func withPointer(_ body: (UnsafePointer<Float>?) -> Void) {
        guard let self else { return body(nil) }
        self.withUnsafeBufferPointer { body($0.baseAddress) }
    }
}
