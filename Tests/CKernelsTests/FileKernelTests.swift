import CKernels
import Testing

/// What is done to the tensors of adapter files when they are loaded.
@Suite struct FileKernelTests {
    /// Patterns of NaN and of both infinities, and of the greatest finite number.
    private static let types: [(type: mk_storage, bad: [UInt32], greatest: UInt32)] = [
        (mk_float32, [0x7F80_0000, 0xFF80_0000, 0x7FC0_0001], 0x7F7F_FFFF),
        (mk_bfloat16, [0x7F80, 0xFF80, 0x7FC1], 0x7F7F), (mk_float16, [0x7C00, 0xFC00, 0x7E01], 0x7BFF),
    ]

    @Test(arguments: [1, 2, 1023, 1024, 1025, 2500])
    func firstNonFiniteValueIsFound(_ count: Int) {
        for (type, bad, greatest) in Self.types {
            var wide = [UInt32](repeating: greatest, count: count)
            #expect(find(wide, type) == -1)
            for place in Set([0, count / 2, count - 1]) {
                for pattern in bad {
                    wide[place] = pattern
                    wide[count - 1] = place == count - 1 ? pattern : bad[0]
                    #expect(find(wide, type) == place)
                    wide[place] = greatest
                    wide[count - 1] = greatest
                }
            }
        }
    }

    private func find(_ patterns: [UInt32], _ type: mk_storage) -> Int {
        guard type != mk_float32 else { return mk_find_nonfinite(patterns, type, patterns.count) }
        return mk_find_nonfinite(patterns.map { UInt16($0) }, type, patterns.count)
    }

    @Test func partsOfMatricesAreScaled() {
        let matrix: [Float] = [1, 2, 3, 4, 5, 6]
        var out = [Float](repeating: 0, count: 4)
        mk_scale_matrix(matrix, mk_float32, 3, [2, 10], [1, 0.5], 2, 2, &out)
        #expect(out == [2, 2, 40, 25])
        mk_scale_matrix(matrix, mk_float32, 3, nil, nil, 2, 2, &out)
        #expect(out == [1, 2, 4, 5])
    }

    @Test func products() {
        var out = [Float](repeating: 0, count: 8)
        mk_small_product([1, 2, 3, 4], [5, 6, 7, 8], 2, 2, 2, &out)
        #expect(out[..<4] == [19, 22, 43, 50])
        mk_kronecker([1, 2], 1, 2, [3, 4, 5, 6], 2, 2, &out)
        #expect(out == [3, 4, 6, 8, 5, 6, 10, 12])
        mk_pair_rows([1, 2, 3, 4], 2, [5, 6, 7, 8], 2, 2, &out)
        #expect(out == [5, 12, 7, 16, 15, 24, 21, 32])
        mk_pair_columns([1, 2, 3, 4], 2, [5, 6, 7, 8], 2, 2, &out)
        #expect(out == [5, 6, 10, 12, 21, 24, 28, 32])
    }
}
