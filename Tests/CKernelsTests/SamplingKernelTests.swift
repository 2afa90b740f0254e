import CKernels
import Testing

@Suite struct SamplingKernelTests {
    static let sizes = [1, 5, 15, 16, 17, 31, 33, 100, 257, 2048, 5003]

    /// Values with many ties, some infinities and a NaN or two.
    private static func row(_ n: Int, _ random: inout Seeded) -> [Float] {
        var row = (0..<n).map { _ in Float(Int.random(in: -60...60, using: &random)) / 4 }
        for _ in 0..<n / 20 { row[Int.random(in: 0..<n, using: &random)] = -.infinity }
        if n > 30 { row[Int.random(in: 0..<n, using: &random)] = .nan }
        return row
    }

    @Test(arguments: sizes)
    func rowKernelsAgreeWithTheReference(n: Int) {
        var random = Seeded(UInt64(n))
        let row = Self.row(n, &random)
        let count = Int32(n)
        let bits = (0..<(n + 31) / 32).map { _ in UInt32.random(in: 0...UInt32.max, using: &random) }
        for isa in vectorSets {
            let set = kernels(isa).row
            let plain = reference.row
            #expect(set.max(row, count) == plain.max(row, count))
            #expect(set.argmax(row, count) == plain.argmax(row, count))
            #expect(set.count_greater(row, count, 3) == plain.count_greater(row, count, 3))
            var counts: (Int32, Int32) = (0, 0)
            let greater = (set.sum_greater(row, count, -2, &counts.0), plain.sum_greater(row, count, -2, &counts.1))
            #expect(counts.0 == counts.1)
            #expect(abs(greater.0 - greater.1) <= 1e-5 * max(1, abs(greater.1)) * 10)
            for from in [0, n / 3, n - 1] {
                #expect(
                    set.next_greater(row, Int32(from), count, 9.5) == plain.next_greater(row, Int32(from), count, 9.5))
            }
            let clean = row.map { $0.isNaN ? 0 : $0 }
            let sum = set.exp_sum(clean, count, 15, nil)
            let expected = plain.exp_sum(clean, count, 15, nil)
            #expect(abs(sum - expected) <= 1e-6 * expected, "\(name(isa))")
            func changed(_ change: (inout [Float]) -> Void) -> [UInt32] {
                var copy = row
                change(&copy)
                return copy.map(\.bitPattern)
            }
            #expect(changed { set.scale(&$0, count, 0.7) } == changed { plain.scale(&$0, count, 0.7) })
            #expect(changed { set.floor(&$0, count, 1) } == changed { plain.floor(&$0, count, 1) })
            #expect(changed { set.mask(&$0, count, bits) } == changed { plain.mask(&$0, count, bits) })
        }
    }

    /// Over many draws, exactly the tokens of the sorted nucleus come, each as often as its weight says.
    @Test(arguments: [
        (5000, 1000, 0.9), (5000, 3, 0.5), (5003, 100_000, 0.7), (3000, 1, 0.4), (300, 50, 0.99), (1, 5, 0.5),
    ])
    func drawsFromTheNucleus(n: Int, levels: Int, share: Double) {
        var random = Seeded(UInt64(n + levels))
        let weights = (0..<n).map { _ in Float(Int.random(in: 0...levels, using: &random)) / Float(levels) }
        let sorted = weights.enumerated().filter { $0.element > 0 }
            .sorted { $0.element != $1.element ? $0.element > $1.element : $0.offset < $1.offset }
        let target = share * weights.reduce(0.0) { $0 + Double($1) }
        var nucleus: Set<Int> = []
        var mass = 0.0
        for (index, weight) in sorted where mass < target {
            mass += Double(weight)
            nucleus.insert(index)
        }
        var mean = 0.0
        let draws = 20_000
        for draw in 0..<draws {
            let index = Int(mk_draw_nucleus(weights, Int32(n), target, (Double(draw) + 0.5) / Double(draws)))
            if nucleus.isEmpty {
                #expect(index == -1)
            } else {
                #expect(nucleus.contains(index))
                if index >= 0 { mean += Double(weights[index]) / Double(draws) }
            }
        }
        guard !nucleus.isEmpty, mass > 0 else { return }
        let expected = nucleus.reduce(0.0) { $0 + Double(weights[$1]) * Double(weights[$1]) } / mass
        #expect(abs(mean - expected) < 0.01 * max(expected, 0.01))
    }

    @Test(arguments: sizes)
    func bestAreThoseOfASort(n: Int) {
        var random = Seeded(UInt64(n) + 1)
        let row = Self.row(n, &random)
        let sorted = row.enumerated().map { ($0.offset, $0.element.isNaN ? -.infinity : $0.element) }
            .sorted { $0.1 != $1.1 ? $0.1 > $1.1 : $0.0 < $1.0 }
        for k in [1, 2, 20, 64, n] {
            var indices = [Int32](repeating: -1, count: k)
            var values = [Float](repeating: 0, count: k)
            let written = Int(mk_top_k(row, Int32(n), Int32(k), &indices, &values))
            #expect(written == min(k, n))
            #expect(indices.prefix(written).map(Int.init) == sorted.prefix(written).map(\.0))
            #expect(values.prefix(written).elementsEqual(sorted.prefix(written).map(\.1)))
        }
        #expect(Int(mk_argmax(row, Int32(n))) == sorted[0].0)
    }

    /// Rows long enough for a look ahead, in orders that suit it and that do not.
    @Test func bestOfLongRowsAreThoseOfASort() {
        var random = Seeded(17)
        let n = 20_011
        let rising = (0..<n).map { Float($0 / 3) }
        var masked = [Float](repeating: -.infinity, count: n)
        for _ in 0..<300 { masked[Int.random(in: 0..<n, using: &random)] = Float.random(in: -5...5, using: &random) }
        for row in [random.floats(n, -12...12), rising, rising.reversed(), masked, Self.row(n, &random)] {
            let sorted = row.enumerated().map { ($0.offset, $0.element.isNaN ? -.infinity : $0.element) }
                .sorted { $0.1 != $1.1 ? $0.1 > $1.1 : $0.0 < $1.0 }
            for k in [1, 20, 200, 1000, 5000] {
                var indices = [Int32](repeating: -1, count: k)
                var values = [Float](repeating: 0, count: k)
                #expect(mk_top_k(row, Int32(n), Int32(k), &indices, &values) == k)
                #expect(values == sorted.prefix(k).map(\.1))
                #expect(indices.map(Int.init) == sorted.prefix(k).map(\.0))
            }
        }
    }

    @Test(arguments: sizes)
    func groupsCoverTheRow(n: Int) {
        var random = Seeded(UInt64(n) + 2)
        let row = Self.row(n, &random)
        for isa in vectorSets + [mk_isa_scalar] {
            var tops = [Float](repeating: .nan, count: n / 16 + 17)
            let count = Int(kernels(isa).row.group_max(row, Int32(n), 16, &tops))
            #expect(count <= n / 16 + 16)
            #expect(tops.prefix(count).max() == reference.row.max(row, Int32(n)), "\(name(isa))")
            #expect(tops.prefix(count).allSatisfy { $0 == -.infinity || row.contains($0) }, "\(name(isa))")
        }
    }

    @Test func probabilitiesOfALargeRowSumToOne() {
        var random = Seeded(3)
        let row = random.floats(128_256, -12...12)
        let count = Int32(row.count)
        let total = mk_log_sum_exp(row, count)
        var exponentials = [Float](repeating: 0, count: row.count)
        let maximum = mk_max(row, count)
        let sum = mk_softmax_exp(row, count, maximum, &exponentials)
        #expect(abs(exponentials.reduce(0.0) { $0 + Double($1) } / sum - 1) < 1e-6)
        #expect(abs(row.reduce(0.0) { $0 + Double.exponential(Double($1) - total) } - 1) < 1e-6)
    }

    @Test func emptyRowsHaveNoProbability() {
        let row = [Float](repeating: -.infinity, count: 40)
        #expect(mk_log_sum_exp(row, 40) == -.infinity)
        #expect(mk_argmax(row, 40) == 0)
        #expect(mk_max(row, 40) == -.infinity)
    }

    @Test func leastProbabilityKeepsTheLikely() {
        var row: [Float] = [0, -1, -2, -3, -4]
        mk_apply_min_p(&row, 5, 0, 0.1)
        #expect(row == [0, -1, -2, -.infinity, -.infinity])
        mk_apply_min_p(&row, 5, 0, 0)
        #expect(row[2] == -2)
    }
}

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

extension Double {
    fileprivate static func exponential(_ x: Double) -> Double { exp(x) }
}
