/// Limits and switches of the KV cache.
package struct KVCacheConfiguration: Sendable {
    package var blockSize: Int
    /// Most blocks.
    package var blockCount: Int
    /// Bytes of one block in all layers.
    package var blockBytes: Int
    /// Bytes that blocks and all else in the ledger may take together.
    package var budget: Int
    /// Blocks that other accounts leave free: those of the longest sequence, so that one can always run.
    package var reservedBlocks = 0
    /// Whether content is kept for reuse.
    package var isPrefixCachingEnabled: Bool
    /// Whether `takeEvents` has something to tell.
    package var recordsEvents: Bool

    /// Blocks that hold `positions`.
    package func blocks(for positions: Int) -> Int { (positions + blockSize - 1) / blockSize }

    /// Most blocks that prefixes can have together.
    package var blocksForPrefixes: Int { max(0, min(blockCount - reservedBlocks, bytesForOthers / blockBytes)) }

    /// Most bytes that accounts other than the blocks' can have together.
    package var bytesForOthers: Int { max(0, budget - reservedBlocks * blockBytes) }

    package init(
        blockSize: Int, blockCount: Int, blockBytes: Int = 1, budget: Int? = nil,
        isPrefixCachingEnabled: Bool = true, recordsEvents: Bool = false
    ) {
        self.blockSize = blockSize
        self.blockCount = blockCount
        self.blockBytes = max(1, blockBytes)
        self.budget = budget ?? self.blockBytes * blockCount
        self.isPrefixCachingEnabled = isPrefixCachingEnabled
        self.recordsEvents = recordsEvents
    }
}

/// A block whose content is to be copied before a step is computed.
package struct BlockCopy: Sendable, Equatable {
    package let from: BlockID
    package let to: BlockID
}

/// Gives sequences their blocks, and content that others computed before.
///
/// A full block becomes a node of the prefix tree when its computation is scheduled, so a later sequence of the same
/// step can share it: within a step, K and V of all tokens are written before any are read. What is only partly filled
/// is added when a sequence ends, is preempted or has its prompt's tail computed; a sequence that matches part of a
/// block gets a copy. Of content that two sequences computed at the same time one block stays.
///
/// Every sequence holds all blocks on its path through the tree and lets go of its tail first, so a block is always let
/// go after those that hang under it: what was let go longest ago is a leaf, and giving it up cuts nothing off.
package struct KVCacheManager: Sendable {
    package let configuration: KVCacheConfiguration
    var pool: BlockPool
    var tree: PrefixTree
    var prefixes = SharedPrefixes()
    /// Number of the step being scheduled.
    private(set) var step = 1
    /// Nodes that were added in this step, parents first.
    private var addedInStep: [BlockID] = []
    private var copies: [BlockCopy] = []
    private var events: [CacheEvent] = []
    /// How often blocks or bytes were let go: while it stays the same, what did not fit before does not fit now.
    package private(set) var releaseCount = 0

    package init(_ configuration: KVCacheConfiguration) {
        self.configuration = configuration
        pool = BlockPool(
            capacity: configuration.blockCount, blockBytes: configuration.blockBytes,
            ledger: MemoryLedger(budget: configuration.budget))
        tree = PrefixTree(blockSize: configuration.blockSize)
    }

    package var blockSize: Int { configuration.blockSize }
    package var ledger: MemoryLedger { pool.ledger }

    /// Blocks that could be had now, those kept for reuse included.
    package var freeCount: Int { pool.freeCount }

    /// Blocks whose content can be found.
    package var nodeCount: Int { tree.count }

    /// Share of the blocks that sequences hold, 0…1; blocks kept for reuse count as free.
    package var usage: Double {
        configuration.blockCount == 0 ? 0 : Double(pool.heldCount) / Double(configuration.blockCount)
    }

    // MARK: Steps

    /// Begins the scheduling of a step: what was scheduled before counts as computed.
    package mutating func beginStep() {
        step += 1
        addedInStep.removeAll(keepingCapacity: true)
        copies.removeAll(keepingCapacity: true)
    }

    /// Copies that must be made, in this order, before the step is computed.
    package var stepCopies: [BlockCopy] { copies }

    /// Forgets the nodes of a step that was not computed. Its sequences must be detached and let go.
    package mutating func abandonStep() {
        for block in addedInStep.reversed() where tree.contains(block) {
            forget(block)
            if pool.isKept(block) { pool.discard(block) }
        }
        addedInStep.removeAll()
    }

    /// What happened since the last call, in order; nothing unless events are recorded.
    package mutating func takeEvents() -> [CacheEvent] {
        defer { events.removeAll() }
        return events
    }

    // MARK: Blocks of a sequence

    /// Gives a sequence without blocks all that `positions` need, as far as possible with content that is known.
    ///
    /// - Parameters:
    ///   - reserve: blocks that must be free afterwards.
    ///   - reuse: whether known content may be used.
    /// - Returns: how many positions are computed, fewer than `positions`; nil when the blocks are not free.
    package mutating func admit(
        _ keys: SequenceKeys, _ blocks: inout SequenceBlocks, positions: Int, reserve: Int, reuse: Bool
    ) -> Int? {
        let prefix = keys.prefix.flatMap { prefixes[$0.id] }
        let shared = wholeBlocks(of: prefix)
        var match = PrefixMatch()
        if reuse, configuration.isPrefixCachingEnabled {
            match = tree.match(keys, from: shared.count, limit: positions - 1, before: step)
        }
        let known = shared.count + match.blocks.count
        let fresh = blocks.table.shortage(for: positions) - known
        let revived = match.blocks.reduce(0) { $0 + (pool.isKept($1) ? 1 : 0) }
        guard pool.freeCount - revived >= fresh + reserve else { return nil }
        for block in shared + match.blocks {
            pool.retain(block)
            blocks.table.append(block)
        }
        blocks.sharedCount = shared.count
        blocks.registered = known
        if let partial = match.partial { pool.touch(partial.block) }
        for _ in 0..<fresh {
            if let block = takeBlock() { blocks.table.append(block) }
        }
        let whole = known * blockSize
        if let partial = match.partial {
            copies.append(BlockCopy(from: partial.block, to: blocks.table.blocks[known]))
            return whole + partial.count
        }
        guard let prefix, prefix.positions > whole, let tail = prefix.blocks.last else { return whole }
        copies.append(BlockCopy(from: tail, to: blocks.table.blocks[known]))
        return prefix.positions
    }

    /// Gives a sequence the blocks that it lacks for `positions`; false, and none, when they are not free.
    package mutating func grow(_ blocks: inout SequenceBlocks, positions: Int) -> Bool {
        let shortage = blocks.table.shortage(for: positions)
        guard shortage <= pool.freeCount else { return false }
        for _ in 0..<shortage {
            if let block = takeBlock() { blocks.table.append(block) }
        }
        return true
    }

    /// Lets go of everything, the tail first. What was computed stays findable.
    package mutating func release(_ keys: SequenceKeys, _ blocks: inout SequenceBlocks, computed: Int) {
        settle(&blocks)
        registerTail(keys, &blocks, computed: computed)
        for block in blocks.table.blocks.reversed() { letGo(block) }
        blocks = SequenceBlocks(blockSize: blockSize)
    }

    mutating func letGo(_ block: BlockID) {
        pool.release(block, keep: tree.contains(block))
        releaseCount += 1
    }

    mutating func takeBlock() -> BlockID? {
        if let block = pool.takeBlank() { return block }
        guard let block = pool.leastRecent else { return nil }
        forget(block)
        pool.retain(block)
        return block
    }

    // MARK: Nodes

    mutating func noteAdded(_ block: BlockID, parent: PrefixTree.Parent, root: RootKey) {
        addedInStep.append(block)
        guard configuration.recordsEvents else { return }
        let keys = tree.nodes[Int(block)].keys
        guard keys.count == blockSize else { return }
        var before: BlockID?
        if case .block(let block) = parent { before = block }
        events.append(.stored(block: block, parent: before, root: root, keys: keys))
    }

    /// Takes a leaf out of the tree.
    mutating func forget(_ block: BlockID) {
        let isFull = tree.nodes[Int(block)].keys.count == blockSize
        tree.remove(block)
        if configuration.recordsEvents, isFull { events.append(.removed(block: block)) }
    }

    // MARK: Memory

    /// Forgets all content. Sequences that hold blocks go on with them, and must be detached.
    package mutating func reset() {
        tree.removeAll()
        while let block = pool.leastRecent { pool.discard(block) }
        addedInStep.removeAll()
        if configuration.recordsEvents { events.append(.cleared) }
    }

    /// Gives up kept blocks until at most `limit` are left, those let go longest ago first.
    package mutating func trim(keeping limit: Int) {
        while pool.kept.count > limit, let block = pool.leastRecent {
            forget(block)
            pool.discard(block)
        }
    }

    /// Blocks that hold nothing, though they once did: their memory can be given back. O(blocks).
    package mutating func blankRanges() -> [Range<Int>] { pool.blankRanges() }

    /// Whether adapters hold bytes or blocks that sequences could use.
    package var holdsAdapters: Bool { prefixes.blockCount > 0 || ledger.used(by: .adapters) > 0 }

    /// Bytes that sequences cannot have: those of other accounts, and of prefixes.
    var bytesOfOthers: Int {
        pool.ledger.total - pool.ledger.used(by: .blocks) + prefixes.blockCount * configuration.blockBytes
    }

    /// Books bytes of something else than blocks, giving up kept blocks for it; false when they cannot be had.
    package mutating func charge(_ bytes: Int, to account: MemoryLedger.Account) -> Bool {
        guard bytesOfOthers + bytes <= configuration.bytesForOthers else { return false }
        while pool.ledger.available < bytes, let block = pool.leastRecent {
            forget(block)
            pool.discard(block)
        }
        return pool.charge(bytes, to: account)
    }

    package mutating func refund(_ bytes: Int, to account: MemoryLedger.Account) {
        pool.refund(bytes, to: account)
        // What did not fit for lack of bytes may fit now.
        releaseCount += 1
    }
}
