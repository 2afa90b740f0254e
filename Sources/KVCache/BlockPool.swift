/// Index of a KV block in its pool.
package typealias BlockID = Int32

/// The blocks of the KV cache. Each is held by sequences, kept for reuse, or blank.
///
/// Kept blocks hold content that the prefix tree can find; nobody uses them now, and the one let go first is given up
/// first. Blank blocks hold nothing and no memory: the one freed last is used first, so what was never touched stays
/// uncommitted. Every operation is O(1).
struct BlockPool: Sendable {
    /// Most blocks, numbered from 0.
    let capacity: Int
    /// Bytes of one block in all layers.
    let blockBytes: Int
    private(set) var ledger: MemoryLedger
    /// Holders of each block that was ever used.
    private(set) var references: ContiguousArray<Int32> = []
    private(set) var blank: [BlockID] = []
    private(set) var kept = RecencyList()

    init(capacity: Int, blockBytes: Int, ledger: MemoryLedger) {
        self.capacity = capacity
        self.blockBytes = blockBytes
        self.ledger = ledger
    }

    /// Blocks that were ever used; the others exist in name only.
    var usedCount: Int { references.count }

    private var blankCount: Int { blank.count + capacity - usedCount }

    /// Blocks that an allocation could get, kept ones included.
    var freeCount: Int { kept.count + min(blankCount, ledger.available / blockBytes) }

    /// Blocks that sequences hold.
    var heldCount: Int { usedCount - blank.count - kept.count }

    func isKept(_ block: BlockID) -> Bool { kept.contains(block) }

    /// A blank block, held once; nil when there is none, or no memory for it.
    mutating func takeBlank() -> BlockID? {
        guard blankCount > 0, ledger.charge(blockBytes, to: .blocks) else { return nil }
        if let block = blank.popLast() {
            references[Int(block)] = 1
            return block
        }
        references.append(1)
        kept.addBlock()
        return BlockID(references.count - 1)
    }

    /// The block that was let go longest ago.
    var leastRecent: BlockID? { kept.count > 0 ? kept.first : nil }

    mutating func retain(_ block: BlockID) {
        if references[Int(block)] == 0 { kept.remove(block) }
        references[Int(block)] += 1
    }

    /// Lets go of a block; when nobody holds it any more it is kept or becomes blank.
    mutating func release(_ block: BlockID, keep: Bool) {
        references[Int(block)] -= 1
        guard references[Int(block)] == 0 else { return }
        if keep { kept.append(block) } else { clear(block) }
    }

    /// Marks a kept block as just used.
    mutating func touch(_ block: BlockID) {
        guard kept.contains(block) else { return }
        kept.remove(block)
        kept.append(block)
    }

    /// Makes a kept block blank.
    mutating func discard(_ block: BlockID) {
        kept.remove(block)
        clear(block)
    }

    private mutating func clear(_ block: BlockID) {
        blank.append(block)
        ledger.refund(blockBytes, to: .blocks)
    }

    /// Orders the blank blocks so that low ones are used first, and returns them as ranges. O(blank log blank).
    mutating func blankRanges() -> [Range<Int>] {
        blank.sort(by: >)
        var ranges: [Range<Int>] = []
        for block in blank.reversed().lazy.map(Int.init) {
            if let last = ranges.last, last.upperBound == block {
                ranges[ranges.count - 1] = last.lowerBound..<(block + 1)
            } else {
                ranges.append(block..<(block + 1))
            }
        }
        return ranges
    }

    mutating func charge(_ bytes: Int, to account: MemoryLedger.Account) -> Bool { ledger.charge(bytes, to: account) }

    mutating func refund(_ bytes: Int, to account: MemoryLedger.Account) { ledger.refund(bytes, to: account) }
}
