import CKernels
import Testing

@Suite struct Int8CacheTests {
    typealias Setting = AttentionTests.Setting
    typealias Case = AttentionTests.Case

    /// The bytes of a cache of one block and KV head after `rows` were written as K, and reversed as V.
    private static func written(_ set: mk_kernels, _ rows: [[Float]], blockSize: Int) -> [UInt8] {
        var shape = mk_cache_shape(
            storage: mk_int8, kv_heads: 1, head_dim: Int32(rows[0].count), block_size: Int32(blockSize))
        var bytes = [UInt8](repeating: 0xA5, count: mk_cache_block_bytes(&shape))
        for (slot, row) in rows.enumerated() {
            bytes.withUnsafeMutableBytes {
                if let base = $0.baseAddress { set.tensor.write_kv(&shape, base, Int64(slot), row, row.reversed()) }
            }
        }
        return bytes
    }

    /// K of one row of at most 16 channels, and its scale.
    private static func stored(_ row: [Float]) -> (values: [Int8], scale: Float) {
        let bytes = written(reference, [row], blockSize: 1)
        let scale = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 16, as: Float.self) }
        return (bytes.prefix(row.count).map { Int8(bitPattern: $0) }, scale)
    }

    @Test func valuesAreRoundedToNearestEven() {
        #expect(
            Self.stored([127, -127, 0.5, 1.5, -2.5, 2.50001, 63.4999, -0.2]).values == [127, -127, 0, 2, -2, 3, 63, 0])
        #expect(Self.stored([127, -127]).scale == 1)
        #expect(Self.stored([0.5, -1, 0.25]).scale == Float(1) / 127)
        #expect(Self.stored([0.5, -1, 0.25]).values == [64, -127, 32])
        let zeros = Self.stored([0, -0.0, 0])
        #expect(zeros.values == [0, 0, 0] && zeros.scale == 0)
    }

    @Test func extremesAreStoredWithoutHarm() {
        let great = Float.greatestFiniteMagnitude
        #expect(Self.stored([great, -great, 1]).values == [127, -127, 0])
        #expect(Self.stored([great]).scale.isFinite)
        // The scale is coarse or zero here; values stay in range.
        let least = Float.leastNonzeroMagnitude
        #expect(Self.stored([least, -least]).values == [0, 0] && Self.stored([least]).scale == 0)
        #expect(Self.stored([least * 180, -least * 180]).values == [127, -127])
        for bad in [Float.nan, .infinity, -.infinity, Float(bitPattern: 0xFFFF_FFFF)] {
            let found = Self.stored([1, bad, -3])
            #expect(found.values == [0, 0, 0] && found.scale.isNaN)
        }
    }

    @Test func allInstructionSetsStoreTheSameBytes() {
        var random = Seeded(41)
        for (headDim, blockSize) in [(64, 16), (7, 4), (80, 32), (128, 1), (33, 16)] {
            let rows = (0..<blockSize).map { _ in random.floats(headDim, -3...3) }
            let expected = Self.written(reference, rows, blockSize: blockSize)
            for isa in vectorSets {
                #expect(Self.written(kernels(isa), rows, blockSize: blockSize) == expected, "\(name(isa))")
            }
        }
    }

    /// A sanity bound: rounding to 8 bits moves the result by about a percent.
    @Test func attentionStaysCloseToFloat32() {
        for headDim in [32, 64, 128] {
            var test = Case(heads: 8, kvHeads: 2, headDim: headDim, context: 300, queries: 20)
            let exact = Setting(test, blockSize: 16).run(reference, step: 20)
            test.storage = mk_int8
            for isa in vectorSets + [mk_isa_scalar] {
                let found = Setting(test, blockSize: 16).run(kernels(isa), step: 20)
                #expect(relativeDifference(found, exact) < 0.02, "\(name(isa)), heads of \(headDim)")
            }
        }
    }

    @Test(arguments: [mk_float32, mk_bfloat16, mk_int8], [1, 4, 16, 32, 128])
    func whatLiesBeyondTheContextHasNoInfluence(storage: mk_storage, blockSize: Int) {
        for isa in vectorSets + [mk_isa_scalar] {
            let setting = Setting(Case(storage: storage, context: 37, queries: 7), blockSize: blockSize)
            let expected = setting.run(kernels(isa), step: 7, stale: 0)
            for stale: UInt32 in [0xFFFF_FFFF, 0x7F80_7F80, 0x7F80_0000, 0x8180_7F01, 0x4B80_4B80] {
                #expect(setting.run(kernels(isa), step: 7, stale: stale) == expected, "\(name(isa)), \(stale)")
            }
        }
    }

    /// A NaN harms the rows that see it and no other, however rows are grouped.
    @Test func laterNaNsHaveNoInfluence() {
        for isa in vectorSets + [mk_isa_scalar] {
            var setting = Setting(Case(storage: mk_int8, context: 40, queries: 8), blockSize: 16)
            let expected = setting.run(kernels(isa), step: 8)
            let width = setting.test.kvHeads * setting.test.headDim
            for index in setting.k.count - width..<setting.k.count {
                setting.k[index] = .nan
                setting.v[index] = .nan
            }
            let found = setting.run(kernels(isa), step: 8)
            let rest = found.count - setting.test.heads * setting.test.headDim
            #expect(found[..<rest] == expected[..<rest], "\(name(isa))")
            #expect(found[rest...].allSatisfy { $0.isNaN }, "\(name(isa))")
        }
    }
}
