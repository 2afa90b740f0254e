import Testing

@testable import KVCache

/// Prefixes that many sequences begin with and none computes.
@Suite struct SharedPrefixTests {
    private static let id = PrefixID(7)

    private func keys(_ positions: Int, _ tokens: some Sequence<Int>, salt: String? = nil, state: UInt64 = 0)
        -> SequenceKeys
    {
        SequenceKeys(
            tokens: Array(repeating: SequenceKeys.noToken, count: positions) + tokens.map(Int32.init), salt: salt,
            prefix: .init(Self.id, positions: positions), adapterState: state)
    }

    /// A cache of blocks of 4 with a prefix of `positions`, and the blocks that hold it.
    private func bench(_ positions: Int, blocks: Int = 16, caching: Bool = true) throws -> (CacheBench, [BlockID]) {
        var bench = CacheBench(blocks: blocks, isPrefixCachingEnabled: caching)
        let given = bench.cache.installPrefix(Self.id, positions: positions)
        let installed = try #require(given)
        #expect(installed.isNew)
        return (bench, installed.blocks)
    }

    @Test(arguments: [true, false])
    func fullBlocksAreSharedAndNothingIsComputed(caching: Bool) throws {
        var (bench, blocks) = try bench(8, caching: caching)
        #expect(bench.run(0, keys(8, 0..<3)) == 8)
        #expect(bench.run(1, keys(8, 50..<53), reuse: false) == 8)
        for id in 0..<2 { #expect(bench.blocks[id].map { Array($0.table.blocks[..<2]) } == blocks) }
        #expect(bench.cache.freeCount == 16 - 4)
        #expect(bench.problem == nil)
        for id in 0..<2 { bench.end(id) }
        #expect(bench.cache.usage == 2.0 / 16, "the prefix stays")
        bench.cache.releasePrefix(Self.id)
        #expect(bench.cache.usage == 0)
        #expect(bench.problem == nil)
    }

    @Test func anUnalignedEndIsCopied() throws {
        var (bench, blocks) = try bench(6)
        #expect(bench.run(0, keys(6, 0..<5)) == 6)
        let table = try #require(bench.blocks[0]?.table.blocks)
        #expect(table[0] == blocks[0] && table[1] != blocks[1])
        #expect(bench.cache.stepCopies == [BlockCopy(from: blocks[1], to: table[1])])
        #expect(bench.problem == nil)
        // The next one with the same tokens finds the filled block instead.
        #expect(bench.run(1, keys(6, 0..<5)) == 10)
        #expect(bench.blocks[1]?.table.blocks[1] == table[1])
        #expect(bench.problem == nil)
    }

    @Test func whatFollowsIsFoundByContentSaltAndState() throws {
        var (bench, _) = try bench(4)
        #expect(bench.run(0, keys(4, 0..<9)) == 4)
        bench.end(0)
        #expect(bench.run(1, keys(4, 0..<9)) == 12)
        #expect(bench.run(2, keys(4, 0..<9, salt: "tenant")) == 4, "a salt separates what comes after the prefix")
        #expect(bench.run(3, keys(4, 0..<9, state: 3)) == 4, "other weights share the prefix alone")
        #expect(bench.run(4, sequence(0..<9)) == 0, "without the prefix all is different")
        #expect(bench.problem == nil)
    }

    @Test func oneContentIsThereOnceAndGoesWithItsLastHolder() throws {
        var (bench, blocks) = try bench(9)
        let again = bench.cache.installPrefix(Self.id, positions: 9)
        #expect(again == KVCacheManager.Installed(blocks: blocks, isNew: false))
        #expect(bench.cache.prefixBlockCount == 3)
        _ = bench.run(0, keys(9, 0..<3))
        bench.cache.releasePrefix(Self.id)
        #expect(bench.cache.hasPrefix(Self.id))
        bench.cache.releasePrefix(Self.id)
        #expect(!bench.cache.hasPrefix(Self.id))
        #expect(bench.cache.usage == 3.0 / 16, "the sequence still has two of its blocks, and one of its own")
        bench.end(0)
        #expect(bench.problem == nil)
    }

    @Test func aResetLeavesPrefixesAlone() throws {
        var (bench, _) = try bench(5)
        _ = bench.run(0, keys(5, 0..<6))
        bench.end(0)
        bench.cache.reset()
        #expect(bench.run(1, keys(5, 0..<6)) == 5)
        #expect(bench.problem == nil)
    }

    @Test func prefixesLeaveRoomForTheLongestSequence() throws {
        var configuration = KVCacheConfiguration(blockSize: 4, blockCount: 8, blockBytes: 10)
        configuration.reservedBlocks = 5
        var cache = KVCacheManager(configuration)
        #expect(configuration.blocksForPrefixes == 3)
        #expect((cache.installPrefix(PrefixID(1), positions: 13) == nil) == true)
        #expect(cache.charge(10, to: .adapters) == true)
        #expect((cache.installPrefix(PrefixID(1), positions: 12) == nil) == true)
        #expect((cache.installPrefix(PrefixID(1), positions: 8) == nil) == false)
        #expect(cache.charge(10, to: .adapters) == false)
        #expect((cache.installPrefix(PrefixID(2), positions: 1) == nil) == true)
        cache.releasePrefix(PrefixID(1))
        #expect((cache.installPrefix(PrefixID(2), positions: 1) == nil) == false)
    }

    @Test func keptContentGivesWayToAPrefix() throws {
        var bench = CacheBench(blocks: 4)
        _ = bench.run(0, sequence(0..<16))
        #expect((bench.cache.installPrefix(Self.id, positions: 8) == nil) == true)
        bench.end(0)
        #expect((bench.cache.installPrefix(Self.id, positions: 8) == nil) == false)
        #expect(bench.problem == nil)
        #expect(bench.run(1, sequence(0..<8)) == 7, "the head of what was kept is left")
    }
}
