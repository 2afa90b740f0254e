import KVCache
import Testing

@Suite struct BlockPoolTests {
    @Test func allocatesAllOrNothing() {
        var pool = BlockPool(count: 3)
        var table = BlockTable(blockSize: 4)
        #expect(pool.allocate(4, into: &table) == false)
        #expect(table.blocks.isEmpty)
        #expect(pool.freeCount == 3)
        #expect(pool.allocate(3, into: &table))
        #expect(Set(table.blocks).count == 3)
        #expect(pool.usage == 1)
        #expect(pool.inconsistency(with: [table]) == nil)
    }

    @Test func releaseReturnsEveryBlock() {
        var pool = BlockPool(count: 5)
        var first = BlockTable(blockSize: 1)
        var second = BlockTable(blockSize: 1)
        #expect(pool.allocate(2, into: &first))
        #expect(pool.allocate(3, into: &second))
        pool.release(&first)
        #expect(first.blocks.isEmpty)
        #expect(pool.freeCount == 2)
        #expect(pool.inconsistency(with: [second]) == nil)
        pool.release(&second)
        #expect(pool.freeCount == 5)
    }

    @Test func reusesTheBlockFreedLast() {
        var pool = BlockPool(count: 8)
        var table = BlockTable(blockSize: 1)
        #expect(pool.allocate(2, into: &table))
        let used = table.blocks
        pool.release(&table)
        #expect(pool.allocate(2, into: &table))
        #expect(table.blocks == used)
    }

    @Test func checkerSeesLeaksAndDoubleOwners() {
        var pool = BlockPool(count: 2)
        var table = BlockTable(blockSize: 1)
        #expect(pool.allocate(1, into: &table))
        #expect(pool.inconsistency(with: []) != nil)
        #expect(pool.inconsistency(with: [table, table]) != nil)
    }

    @Test(arguments: [(0, 0), (1, 1), (4, 1), (5, 2), (8, 2)])
    func shortageRoundsUp(positions: Int, blocks: Int) {
        #expect(BlockTable(blockSize: 4).shortage(for: positions) == blocks)
    }
}
