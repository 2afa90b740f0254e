import Testing

@testable import KVCache

/// Random sequences over a tiny alphabet, so that they share a lot, against a list of everything ever computed.
@Suite struct CacheFuzzTests {
    @Test(arguments: 0..<200)
    func booksAgreeAndReuseIsSound(seed: Int) throws {
        var random = SplitMix(state: UInt64(seed))
        let blockSize = [1, 2, 4, 16].randomElement(using: &random) ?? 4
        let blockCount = Int.random(in: 4...40, using: &random)
        var bench = CacheBench(blockSize: blockSize, blocks: blockCount)
        let model = ContentModel(blockSize: blockSize)
        for id in 0..<300 {
            if let open = bench.keys.keys.randomElement(using: &random), Int.random(in: 0..<3, using: &random) > 0 {
                if Bool.random(using: &random) {
                    _ = bench.extend(open, (0..<5).map { _ in .random(in: 0..<2, using: &random) })
                    try model.check(bench, seed: seed)
                } else {
                    bench.end(open)
                }
            } else {
                let length = Int.random(in: 1...(blockSize * 6), using: &random)
                let tokens = (0..<length).map { _ in Int.random(in: 0..<2, using: &random) }
                let keys = sequence(tokens, salt: Int.random(in: 0..<4, using: &random) == 0 ? "s" : nil)
                let free = bench.cache.freeCount
                if let found = bench.run(id, keys) {
                    #expect(found < length)
                    try model.check(bench, seed: seed)
                } else {
                    #expect(free < (length + blockSize - 1) / blockSize, "seed \(seed): it would have fitted")
                }
            }
            try #require(bench.problem == nil, "seed \(seed), event \(id)")
            if Int.random(in: 0..<60, using: &random) == 0 {
                bench.cache.reset()
                for id in bench.blocks.keys { bench.blocks[id]?.detach() }
            }
        }
        for id in Array(bench.keys.keys) { bench.end(id) }
        #expect(bench.problem == nil)
        #expect(bench.cache.freeCount == blockCount)
    }

    /// Hit lengths against the longest common prefix with all that came before, while memory suffices.
    @Test(arguments: 0..<50)
    func reuseIsTheLongestCommonPrefix(seed: Int) {
        var random = SplitMix(state: UInt64(1000 + seed))
        var bench = CacheBench(blockSize: [1, 4, 16].randomElement(using: &random) ?? 4, blocks: 100_000)
        var history: [[Int]] = []
        for id in 0..<100 {
            var tokens = history.randomElement(using: &random) ?? []
            tokens = Array(tokens.prefix(.random(in: 0...max(1, tokens.count), using: &random)))
            tokens += (0..<Int.random(in: 1...40, using: &random)).map { _ in .random(in: 0..<3, using: &random) }
            let ideal = history.map { zip($0, tokens).prefix { $0 == $1 }.count }.max() ?? 0
            #expect(bench.run(id, sequence(tokens)) == min(ideal, tokens.count - 1), "seed \(seed)")
            history.append(tokens)
            if Bool.random(using: &random) { bench.end(id) }
        }
    }
}

/// What the blocks of a table must hold.
private struct ContentModel {
    let blockSize: Int

    /// Compares each node's place in the tree with the sequences that hold it: the blocks of a table, in order, must
    /// carry exactly the sequence's keys wherever they are nodes.
    func check(_ bench: CacheBench, seed: Int) throws {
        for (id, held) in bench.blocks where !held.isDetached {
            guard let keys = bench.keys[id] else { continue }
            for (index, block) in held.table.blocks.prefix(held.registered).enumerated() {
                let node = held.merges.first { $0.index == index }?.block ?? block
                let range = index * blockSize..<(index + 1) * blockSize
                let expected = bench.cache.tree.withKeys(of: keys, range) { Array($0) }
                try #require(bench.cache.tree.nodes[Int(node)].keys == expected, "seed \(seed)")
            }
        }
    }
}
