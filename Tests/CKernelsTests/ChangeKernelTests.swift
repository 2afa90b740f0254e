import CKernels
import Testing

/// What adapters do to rows, against the same in plain words.
@Suite struct ChangeKernelTests {
    @Test func rowsAreScaledAndShifted() {
        var random = Seeded(31)
        let (rows, columns, stride) = (3, 19, 23)
        let x = random.floats(rows * stride)
        let factors = random.floats(columns)
        let terms = random.floats(columns)
        var changed = x
        mk_scale_and_add(&changed, stride, rows, factors, terms, columns)
        var scaled = [Float](repeating: 7, count: rows * stride)
        mk_scale_columns(x, stride, rows, factors, columns, &scaled, stride)
        var copied = [Float](repeating: 7, count: rows * stride)
        mk_copy_rows(&copied, stride, x, stride, rows, columns)
        for row in 0..<rows {
            for column in 0..<stride {
                let place = row * stride + column
                let isInside = column < columns
                let product = isInside ? x[place] * factors[column] : 7
                #expect(scaled[place] == product)
                #expect(copied[place] == (isInside ? x[place] : 7))
                #expect(abs(changed[place] - (isInside ? product + terms[column] : x[place])) < 1e-6)
            }
        }
        var some: [Float] = [0, 0, 0, 0]
        mk_scatter(&some, [3, 1], [5, 6], 2)
        #expect(some == [0, 6, 0, 5])
        mk_scaled(x, 2, 4, &some)
        #expect(some == x.prefix(4).map { 2 * $0 })
    }

    @Test(arguments: [mk_float32, mk_bfloat16])
    func panelsAreReadBack(storage: mk_storage) {
        var random = Seeded(32)
        let (n, k) = (70, 9)
        // Values that bfloat16 holds exactly.
        let matrix = (0..<n * k).map { _ in Float(Int.random(in: -100...100, using: &random)) }
        let weights = Packed(matrix, n: n, k: k, storage: storage)
        for panel in 0..<3 {
            var out = [Float](repeating: 7, count: k * 32)
            withUnsafePointer(to: weights.weights) { mk_unpack_weights_panel($0, Int32(panel), &out) }
            for input in 0..<k {
                for lane in 0..<32 {
                    let row = panel * 32 + lane
                    #expect(out[input * 32 + lane] == (row < n ? matrix[row * k + input] : 0))
                }
            }
        }
    }

    @Test func transposesInPieces() {
        var random = Seeded(33)
        let (rows, columns, stride) = (3, 300, 4)
        let matrix = random.floats(rows * columns)
        var out = [Float](repeating: 0, count: columns * stride)
        mk_transpose(matrix, mk_float32, rows, columns, 2, &out, stride)
        for row in 0..<stride {
            for column in 0..<columns {
                #expect(out[column * stride + row] == (row < rows ? 2 * matrix[row * columns + column] : 0))
            }
        }
    }

    @Test func magnitudesBecomeFactors() {
        var sums: [Double] = [1, 0, 0]
        mk_add_squares([3, 4, 0, 9, 0, 12, 0, 9], 4, 2, 3, &sums)
        #expect(sums == [1 + 9, 16 + 144, 0])
        var factors: [Float] = [7, 7, 7]
        mk_magnitude_factors([1, 2, 3], [4, 16, 0], 3, &factors)
        #expect(factors == [0.5, 0.5, 0], "a row of zeros stays one")
    }

    @Test func biasesStayOutOfTheFactors() {
        // The product of 10 has a bias of 4, so it is 6 itself; 3 * (2 * 6 + 5) is wanted.
        var factor: Float = 0
        var term: Float = 0
        mk_output_change([2], [3], [4], [5], 1, &factor, &term)
        #expect(factor * 10 + term == 51)
        mk_output_change(nil, nil, nil, nil, 1, &factor, &term)
        #expect(factor == 1 && term == 0)
    }
}
