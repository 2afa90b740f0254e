import Testing

@testable import KVCache

@Suite struct PrefixCacheTests {
    @Test func aRepeatedPromptLeavesOneTokenToCompute() {
        for length in 1...13 {
            var bench = CacheBench()
            #expect(bench.run(0, sequence(0..<length)) == 0)
            bench.end(0)
            #expect(bench.run(1, sequence(0..<length)) == length - 1, "length \(length)")
            #expect(bench.problem == nil)
        }
    }

    @Test func reuseIsPerToken() {
        var bench = CacheBench()
        _ = bench.run(0, sequence(0..<12))
        bench.end(0)
        for common in 0...11 {
            let other = sequence(Array(0..<common) + [90, 91, 92])
            #expect(bench.run(1, other) == common)
            #expect(bench.problem == nil)
            bench.end(1)
        }
    }

    @Test func partOfABlockIsCopiedNotShared() throws {
        var bench = CacheBench()
        _ = bench.run(0, sequence(0..<8))
        let first = try #require(bench.blocks[0]).table.blocks
        _ = bench.run(1, sequence([0, 1, 2, 3, 4, 5, 60, 61]))
        let second = try #require(bench.blocks[1]).table.blocks
        #expect(second[0] == first[0])
        #expect(second[1] != first[1])
        #expect(bench.cache.stepCopies == [BlockCopy(from: first[1], to: second[1])])
    }

    @Test func aLaterSequenceOfTheSameStepSharesFullBlocks() throws {
        var bench = CacheBench()
        bench.cache.beginStep()
        #expect(bench.runInStep(0, sequence(0..<10)) == 0)
        #expect(bench.runInStep(1, sequence(0..<10)) == 8)
        #expect(bench.cache.stepCopies.isEmpty, "what this step computes cannot be copied before it")
        #expect(bench.blocks[0]?.table.blocks.prefix(2) == bench.blocks[1]?.table.blocks.prefix(2))
        #expect(bench.problem == nil)
    }

    @Test func generatedTokensAreFoundByTheNextTurn() {
        var bench = CacheBench(blocks: 32)
        _ = bench.run(0, sequence(0..<6))
        #expect(bench.extend(0, Array(100..<111)) == true)
        bench.end(0)
        let next = sequence(Array(0..<6) + Array(100..<111) + [7, 7, 7])
        #expect(bench.run(1, next) == 17)
        #expect(bench.problem == nil)
    }

    @Test func aRunningSequencesPromptIsFound() {
        var bench = CacheBench()
        _ = bench.run(0, sequence(0..<7))
        #expect(bench.run(1, sequence(0..<7)) == 6)
        #expect(bench.problem == nil)
    }

    @Test func tenantsWithDifferentSaltsShareNothing() {
        var bench = CacheBench()
        _ = bench.run(0, sequence(0..<9, salt: "a"))
        #expect(bench.run(1, sequence(0..<9, salt: "b")) == 0)
        #expect(bench.run(2, sequence(0..<9)) == 0)
        bench.end(0)
        #expect(bench.run(3, sequence(0..<9, salt: "a")) == 8)
        #expect(bench.problem == nil)
    }

    /// Activated adapters share what comes before their start with the base model and with each other, and nothing after.
    @Test func adapterStatesShareOnlyWhatTheBaseComputed() {
        var bench = CacheBench(blocks: 64)
        let tokens = (0..<16).map(Int32.init)
        func adapted(_ state: UInt64, from start: Int) -> SequenceKeys {
            SequenceKeys(tokens: tokens, adapterState: state, adapterStart: start)
        }
        _ = bench.run(0, sequence(0..<16))
        #expect(bench.run(1, adapted(7, from: 10)) == 10)
        #expect(bench.run(2, adapted(8, from: 12)) == 12)
        #expect(bench.run(3, adapted(7, from: 10)) == 15)
        #expect(bench.run(4, adapted(7, from: 0)) == 0)
        #expect(bench.run(5, sequence(0..<16)) == 15)
        #expect(bench.problem == nil)
    }

    @Test func embeddingsAreToldApartByContentAndOffset() {
        var bench = CacheBench(blocks: 64)
        func image(_ content: UInt64, at range: Range<Int>, offset: Int = 0) -> SequenceKeys {
            SequenceKeys(
                tokens: Array(repeating: 5, count: 12),
                embeddings: [.init(positions: range, content: content, offset: offset)])
        }
        _ = bench.run(0, image(1, at: 2..<9))
        #expect(bench.run(1, image(1, at: 2..<9)) == 11)
        #expect(bench.run(2, image(2, at: 2..<9)) == 2)
        #expect(bench.run(3, image(1, at: 2..<9, offset: 3)) == 2)
        #expect(bench.run(4, image(1, at: 2..<7)) == 7)
    }

    @Test func contentIsComparedNotHashed() {
        // Sums, products and exclusive ors of these agree; so would any hash made of them.
        var bench = CacheBench(blocks: 64)
        let same = [[1, 4, 2, 3], [4, 1, 3, 2], [2, 3, 4, 1], [3, 2, 1, 4]]
        for (index, tokens) in same.enumerated() {
            #expect(bench.run(index, sequence(tokens + [9])) == 0)
        }
        for (index, tokens) in same.enumerated() {
            #expect(bench.run(10 + index, sequence(tokens + [9, 9])) == 5)
        }
    }

    @Test func theTailGoesBeforeTheHead() {
        var bench = CacheBench(blocks: 8)
        _ = bench.run(0, sequence(0..<16))
        bench.end(0)
        _ = bench.run(1, sequence(100..<124))
        #expect(bench.problem == nil)
        bench.end(1)
        #expect(bench.run(2, sequence(0..<16)) == 8, "two of the four blocks had to go: the last two")
    }

    @Test func whatWasUsedLatelyStays() {
        var bench = CacheBench(blocks: 8)
        for id in 0..<4 {
            _ = bench.run(id, sequence((id * 100)..<(id * 100 + 8)))
            bench.end(id)
        }
        #expect(bench.run(4, sequence(0..<8)) == 7)
        bench.end(4)
        _ = bench.run(5, sequence(900..<908))
        bench.end(5)
        #expect(bench.run(6, sequence(0..<8)) == 7, "it was used after the others")
        #expect(bench.run(7, sequence(100..<108)) ?? 0 < 7)
    }

    @Test func equalContentComputedTwiceIsKeptOnce() throws {
        var bench = CacheBench(blocks: 16)
        // Both compute the same tokens one at a time, in the same steps.
        bench.cache.beginStep()
        _ = bench.runInStep(0, sequence([1]))
        _ = bench.runInStep(1, sequence([1]))
        for token in Int32(2)...9 {
            bench.cache.beginStep()
            for id in 0...1 {
                var keys = try #require(bench.keys[id])
                var held = try #require(bench.blocks[id])
                bench.cache.settle(&held)
                keys.append(token)
                #expect(bench.cache.grow(&held, positions: keys.count) == true)
                bench.cache.register(keys, &held, computed: keys.count, includingTail: false)
                bench.keys[id] = keys
                bench.computed[id] = keys.count
                bench.blocks[id] = held
                #expect(bench.problem == nil)
            }
        }
        #expect(bench.blocks[0]?.table.blocks.prefix(2) == bench.blocks[1]?.table.blocks.prefix(2))
        bench.end(0)
        bench.end(1)
        #expect(bench.problem == nil)
        #expect(bench.cache.freeCount == 16)
    }

    @Test func aSequenceGoesOnWithWhatOthersComputed() throws {
        var bench = CacheBench(blocks: 32)
        let keys = sequence(0..<20)
        var held = SequenceBlocks(blockSize: 4)
        bench.cache.beginStep()
        #expect(bench.cache.admit(keys, &held, positions: 20, reserve: 0, reuse: true) == 0)
        bench.cache.register(keys, &held, computed: 4, includingTail: false)
        // Another sequence takes the first block over and computes the rest.
        #expect(bench.runInStep(1, keys) == 4)
        bench.cache.beginStep()
        let free = bench.cache.freeCount
        #expect(bench.cache.advance(keys, &held, computed: 4, positions: 20) == 16)
        #expect(bench.cache.freeCount == free + 3)
        bench.blocks[0] = held
        #expect(bench.problem == nil)
    }

    @Test func withoutPrefixCachingNothingIsFound() {
        var bench = CacheBench(isPrefixCachingEnabled: false)
        _ = bench.run(0, sequence(0..<8))
        bench.end(0)
        #expect(bench.run(1, sequence(0..<8)) == 0)
        #expect(bench.cache.nodeCount == 0)
        #expect(bench.problem == nil)
    }

    @Test func aResetForgetsEverythingAndHarmsNobody() throws {
        var bench = CacheBench()
        _ = bench.run(0, sequence(0..<10))
        _ = bench.run(1, sequence(50..<60))
        bench.end(1)
        bench.cache.reset()
        bench.blocks[0]?.detach()
        #expect(bench.problem == nil)
        #expect(bench.run(2, sequence(0..<10)) == 0)
        #expect(bench.extend(0, [1, 2, 3]) == true)
        bench.end(0)
        bench.end(2)
        #expect(bench.problem == nil)
        #expect(bench.run(3, sequence(50..<60)) == 0)
    }

    @Test func anAbandonedStepLeavesNoContent() throws {
        var bench = CacheBench()
        _ = bench.run(0, sequence(0..<4))
        bench.cache.beginStep()
        _ = bench.runInStep(1, sequence(0..<12))
        _ = bench.runInStep(2, sequence(0..<12))
        for id in 1...2 { bench.blocks[id]?.detach() }
        bench.cache.abandonStep()
        for id in 1...2 { bench.end(id) }
        #expect(bench.problem == nil)
        #expect(bench.run(3, sequence(0..<12)) == 4, "only the first sequence was computed")
    }
}
