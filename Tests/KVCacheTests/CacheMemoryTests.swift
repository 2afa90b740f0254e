import Testing

@testable import KVCache

@Suite struct CacheMemoryTests {
    @Test func blocksAreBookedInTheLedger() {
        var bench = CacheBench(blocks: 8, blockBytes: 10)
        _ = bench.run(0, sequence(0..<10))
        #expect(bench.cache.ledger.used(by: .blocks) == 30)
        bench.end(0)
        #expect(bench.cache.ledger.used(by: .blocks) == 30, "kept content has its memory")
        bench.cache.trim(keeping: 1)
        #expect(bench.cache.ledger.used(by: .blocks) == 10)
        #expect(bench.run(1, sequence(0..<10)) == 4, "the head is kept longest")
        #expect(bench.problem == nil)
    }

    @Test func otherAccountsTakeFromKeptBlocksButNotFromHeldOnes() {
        var bench = CacheBench(blocks: 8, blockBytes: 10)
        _ = bench.run(0, sequence(0..<16))
        _ = bench.run(1, sequence(100..<116))
        bench.end(1)
        #expect(bench.cache.freeCount == 4)
        #expect(bench.cache.charge(30, to: .adapters) == true)
        #expect(bench.cache.freeCount == 1)
        #expect(bench.cache.charge(11, to: .adapters) == false, "a sequence's blocks are not for taking")
        #expect(bench.problem == nil)
        #expect(bench.run(2, sequence(200..<208)) == nil)
        bench.cache.refund(30, to: .adapters)
        #expect(bench.run(2, sequence(200..<208)) == 0)
        #expect(bench.problem == nil)
    }

    @Test func admissionTakesAllOrNothing() {
        var bench = CacheBench(blocks: 4)
        #expect(bench.run(0, sequence(0..<17)) == nil)
        #expect(bench.cache.freeCount == 4)
        #expect(bench.run(0, sequence(0..<8)) == 0)
        #expect(bench.run(1, sequence(50..<58), reserve: 1) == nil)
        #expect(bench.run(1, sequence(50..<58)) == 0)
        #expect(bench.run(2, sequence(0..<9)) == nil)
        #expect(bench.problem == nil)
    }

    @Test func matchedBlocksDoNotCountAsFree() {
        var bench = CacheBench(blocks: 4)
        _ = bench.run(0, sequence(0..<16))
        bench.end(0)
        // All four blocks are free and matched; the fifth does not exist.
        #expect(bench.run(1, sequence(0..<20)) == nil)
        #expect(bench.run(1, sequence(0..<16)) == 15)
        #expect(bench.problem == nil)
    }

    @Test func blankBlocksAreToldAsRanges() {
        var bench = CacheBench(blocks: 16, isPrefixCachingEnabled: false)
        _ = bench.run(0, sequence(0..<12))
        _ = bench.run(1, sequence(0..<8))
        _ = bench.run(2, sequence(0..<12))
        bench.end(0)
        bench.end(2)
        #expect(bench.cache.blankRanges() == [0..<3, 5..<8])
        _ = bench.run(3, sequence(0..<4))
        #expect(bench.blocks[3]?.table.blocks == [0], "low blocks are used first again")
    }

    @Test func eventsMirrorTheTree() {
        var bench = CacheBench(blocks: 4, recordsEvents: true)
        _ = bench.run(0, sequence(0..<9))
        var mirror: Set<BlockID> = []
        func follow(_ events: [CacheEvent]) {
            for event in events {
                switch event {
                case .stored(let block, let parent, _, let keys):
                    #expect(keys.count == 4)
                    #expect(parent.map { mirror.contains($0) } ?? true)
                    mirror.insert(block)
                case .removed(let block): #expect(mirror.remove(block) != nil)
                case .cleared: mirror = []
                }
            }
        }
        follow(bench.cache.takeEvents())
        #expect(mirror.count == 2)
        bench.end(0)
        _ = bench.run(1, sequence(100..<112))
        bench.end(1)
        follow(bench.cache.takeEvents())
        #expect(mirror.count == bench.cache.tree.nodes.filter { $0.keys.count == 4 }.count)
        bench.cache.reset()
        follow(bench.cache.takeEvents())
        #expect(mirror.isEmpty)
        #expect(bench.cache.takeEvents().isEmpty)
    }
}
