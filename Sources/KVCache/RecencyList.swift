/// Blocks in the order in which they were let go: a doubly linked list inside two arrays, every operation O(1).
struct RecencyList: Sendable {
    private static let none: BlockID = -1
    /// Links of block b; a block that is not in the list points at itself.
    private var next: ContiguousArray<BlockID> = []
    private var previous: ContiguousArray<BlockID> = []
    private(set) var first = none
    private var last = none
    private(set) var count = 0

    /// Makes room for one more block, the one after the last.
    mutating func addBlock() {
        next.append(BlockID(next.count))
        previous.append(BlockID(previous.count))
    }

    func contains(_ block: BlockID) -> Bool { next[Int(block)] != block }

    /// Adds a block as the most recent.
    mutating func append(_ block: BlockID) {
        previous[Int(block)] = last
        next[Int(block)] = Self.none
        if last == Self.none { first = block } else { next[Int(last)] = block }
        last = block
        count += 1
    }

    mutating func remove(_ block: BlockID) {
        let (before, after) = (previous[Int(block)], next[Int(block)])
        if before == Self.none { first = after } else { next[Int(before)] = after }
        if after == Self.none { last = before } else { previous[Int(after)] = before }
        next[Int(block)] = block
        previous[Int(block)] = block
        count -= 1
    }

    /// All blocks, the least recent first. O(count).
    var blocks: [BlockID] {
        var result: [BlockID] = []
        var block = first
        while block != Self.none, result.count <= count {
            result.append(block)
            block = next[Int(block)]
        }
        return result
    }
}
