import CKernels
import Testing

@Suite struct AttentionTests {
    struct Case: CustomTestStringConvertible {
        var heads = 4
        var kvHeads = 2
        var headDim = 32
        var storage = mk_float32
        var window = 0
        /// Whether scores fall with the distance, by another slope for each head.
        var slopes = false
        /// Positions in the cache, and how many of the last are queries.
        var context = 70
        var queries = 70
        /// Queries and probabilities are bfloat16 where the dot instruction takes them.
        func tolerance(_ isa: mk_isa) -> Float {
            (isa == mk_isa_avx512_bf16 || isa == mk_isa_amx) && storage == mk_bfloat16 ? 1e-2 : 1e-5
        }

        var testDescription: String {
            "\(heads)/\(kvHeads) heads of \(headDim), \(["float32", "bfloat16", "", "int8"][Int(storage.rawValue)]), "
                + "window \(window), \(queries) of \(context)" + (slopes ? ", slopes" : "")
        }
    }

    static let cases = [
        Case(), Case(storage: mk_bfloat16), Case(heads: 4, kvHeads: 4, headDim: 64), Case(heads: 13, kvHeads: 1),
        Case(headDim: 10), Case(headDim: 7, storage: mk_bfloat16), Case(headDim: 80, storage: mk_bfloat16),
        Case(headDim: 512, context: 20, queries: 20), Case(window: 1), Case(window: 17), Case(window: 33, queries: 5),
        Case(storage: mk_bfloat16, window: 16), Case(context: 1, queries: 1), Case(context: 200, queries: 1),
        Case(heads: 32, kvHeads: 8, headDim: 64, storage: mk_bfloat16, context: 130, queries: 3),
        Case(storage: mk_int8), Case(heads: 13, kvHeads: 1, storage: mk_int8), Case(headDim: 7, storage: mk_int8),
        Case(headDim: 80, storage: mk_int8, window: 17), Case(headDim: 512, storage: mk_int8, context: 20, queries: 20),
        Case(storage: mk_int8, window: 1), Case(headDim: 128, storage: mk_int8, context: 200, queries: 1),
        Case(heads: 32, kvHeads: 8, headDim: 64, storage: mk_int8, context: 130, queries: 3),
        Case(heads: 3, kvHeads: 3, headDim: 10, storage: mk_int8, context: 1, queries: 1),
        Case(slopes: true), Case(heads: 5, kvHeads: 5, headDim: 10, storage: mk_bfloat16, slopes: true),
        Case(storage: mk_int8, window: 17, slopes: true), Case(slopes: true, context: 300, queries: 2),
    ]

    /// Inputs of one case and a cache filled through the kernels.
    struct Setting {
        let test: Case
        let blockSize: Int
        var q: [Float]
        var k: [Float]
        var v: [Float]
        let table: [Int32]
        let slopes: [Float]

        init(_ test: Case, blockSize: Int) {
            var random = Seeded(UInt64(test.headDim * 7 + test.context))
            self.test = test
            self.blockSize = blockSize
            q = random.floats(test.queries * test.heads * test.headDim, -2...2)
            k = random.floats(test.context * test.kvHeads * test.headDim, -2...2)
            v = random.floats(test.context * test.kvHeads * test.headDim)
            table = (0..<Int32((test.context + blockSize - 1) / blockSize)).reversed().map { 2 * $0 + 1 }
            slopes = (0..<test.heads).map { 0.5 / Float($0 + 1) }
        }

        /// Attention of the queries, in calls of `step` tokens; `stale` lies where no token is: infinities, or NaN
        /// where a float32 is a scale. Blocks that no query sees are left out of the table if `forgets` says so.
        func run(
            _ set: mk_kernels, step: Int, first: Int = 0, stale: UInt32 = 0x7F80_7F80, forgets: Bool = false
        ) -> [Float] {
            var shape = mk_cache_shape(
                storage: test.storage, kv_heads: Int32(test.kvHeads), head_dim: Int32(test.headDim),
                block_size: Int32(blockSize))
            let bytes = mk_cache_block_bytes(&shape) * (2 * table.count + 1)
            let cache = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
            defer { cache.deallocate() }
            cache.initializeMemory(as: UInt32.self, repeating: stale, count: bytes / 4)
            let width = test.kvHeads * test.headDim
            for position in 0..<test.context {
                let slot = Int(table[position / blockSize]) * blockSize + position % blockSize
                set.tensor.write_kv(
                    &shape, cache, Int64(slot), Array(k[position * width..<(position + 1) * width]),
                    Array(v[position * width..<(position + 1) * width]))
            }
            var table = table
            if forgets {
                let seen = max(0, test.context - test.queries + first + 1 - test.window)
                // Even blocks hold what is stale.
                for block in 0..<seen / blockSize { table[block] = 0 }
            }
            var out = [Float](repeating: .nan, count: q.count)
            withPointers(table, &out) { table, q, out, slopes in
                var attention = mk_attention(
                    shape: shape, cache: cache, block_tables: table, q: q, q_stride: test.heads * test.headDim,
                    out: out, out_stride: test.heads * test.headDim, heads: Int32(test.heads), scale: 0.3,
                    window: Int32(test.window), slopes: test.slopes ? slopes : nil)
                var sequence = mk_sequence(
                    token_start: 0, token_count: Int32(test.queries), context_length: Int32(test.context),
                    block_table_start: 0)
                for head in 0..<test.kvHeads {
                    for token in stride(from: first, to: test.queries, by: step) {
                        set.tensor.attend(
                            &attention, &sequence, Int32(head), Int32(token), Int32(min(step, test.queries - token)))
                    }
                }
            }
            return out
        }

        private func withPointers(
            _ table: [Int32], _ out: inout [Float],
            _ body: (
                UnsafePointer<Int32>, UnsafePointer<Float>, UnsafeMutablePointer<Float>, UnsafePointer<Float>
            ) -> Void
        ) {
            q.withUnsafeBufferPointer { q in
                table.withUnsafeBufferPointer { table in
                    slopes.withUnsafeBufferPointer { slopes in
                        out.withUnsafeMutableBufferPointer { out in
                            guard let q = q.baseAddress, let table = table.baseAddress,
                                let slopes = slopes.baseAddress, let out = out.baseAddress
                            else { return }
                            body(table, q, out, slopes)
                        }
                    }
                }
            }
        }
    }

    @Test(arguments: cases)
    func agreesWithTheReference(test: Case) {
        let setting = Setting(test, blockSize: 16)
        let expected = setting.run(reference, step: test.queries)
        #expect(!expected.contains { !$0.isFinite })
        for isa in vectorSets {
            #expect(
                relativeDifference(setting.run(kernels(isa), step: test.queries), expected) < test.tolerance(isa),
                "\(name(isa))")
        }
    }

    /// Where a window has left blocks behind, they may serve others.
    @Test(arguments: cases.filter { $0.window > 0 })
    func blocksBeforeTheWindowAreNotRead(test: Case) {
        for isa in vectorSets + [mk_isa_scalar] {
            for size in [1, 4, 16, 32] {
                let setting = Setting(test, blockSize: size)
                for first in [0, test.queries / 2, test.queries - 1] {
                    let expected = setting.run(kernels(isa), step: 3, first: first)
                    let found = setting.run(kernels(isa), step: 3, first: first, forgets: true)
                    let rows = first * test.heads * test.headDim..<expected.count
                    #expect(found[rows] == expected[rows], "\(name(isa)), block \(size), from \(first)")
                    #expect(!found[rows].contains { !$0.isFinite })
                }
            }
        }
    }

    @Test(arguments: cases)
    func groupingAndBlocksChangeNothing(test: Case) {
        for isa in vectorSets + [mk_isa_scalar] {
            let set = kernels(isa)
            let expected = Setting(test, blockSize: 16).run(set, step: test.queries)
            for step in [1, 3, 8] { #expect(Setting(test, blockSize: 16).run(set, step: step) == expected) }
            for size in [1, 2, 4, 8, 32, 64, 128] {
                #expect(Setting(test, blockSize: size).run(set, step: 5) == expected, "\(name(isa)), block \(size)")
            }
        }
    }
}
