/// Index of a KV block in its pool.
package typealias BlockID = Int32

/// The blocks of the KV cache: which are free, and how many sequences hold each of the others.
///
/// Free blocks are a stack: the block freed last is used first, so memory that was never touched stays uncommitted.
/// Every operation is O(1) per block.
package struct BlockPool: Sendable {
    /// Blocks in the pool, numbered from 0.
    package let count: Int
    private var references: [Int32]
    private var free: [BlockID]

    package init(count: Int) {
        self.count = count
        references = Array(repeating: 0, count: count)
        free = (0..<BlockID(count)).reversed()
    }

    package var freeCount: Int { free.count }

    /// Share of the blocks that are held, 0…1.
    package var usage: Double { count == 0 ? 0 : Double(count - free.count) / Double(count) }

    /// Takes `amount` blocks, each held once, and appends them to `table`; takes none if fewer are free.
    package mutating func allocate(_ amount: Int, into table: inout BlockTable) -> Bool {
        guard amount <= free.count else { return false }
        for _ in 0..<amount {
            let block = free.removeLast()
            references[Int(block)] = 1
            table.append(block)
        }
        return true
    }

    /// Gives back everything that `table` holds, its tail first, and empties it.
    package mutating func release(_ table: inout BlockTable) {
        for block in table.blocks.reversed() {
            references[Int(block)] -= 1
            if references[Int(block)] == 0 { free.append(block) }
        }
        table = BlockTable(blockSize: table.blockSize)
    }

    /// Describes the first contradiction between the pool's books and the tables in use; nil when there is none.
    ///
    /// O(blocks). Tests run it after every step.
    package func inconsistency(with tables: some Sequence<BlockTable>) -> String? {
        var expected = Array(repeating: Int32(0), count: count)
        for table in tables {
            for block in table.blocks {
                guard block >= 0, Int(block) < count else { return "block \(block) is outside the pool" }
                expected[Int(block)] += 1
            }
        }
        for block in free {
            guard expected[Int(block)] == 0 else { return "block \(block) is free but in a table" }
            expected[Int(block)] = -1
        }
        for (block, holders) in expected.enumerated() {
            if holders == 0 { return "block \(block) is neither free nor in a table, or is free twice" }
            if max(holders, 0) != references[block] {
                return "block \(block) counts \(references[block]) holders, tables show \(max(holders, 0))"
            }
        }
        return free.count == Set(free).count ? nil : "a block is free twice"
    }
}
