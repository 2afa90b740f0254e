/// Blocks that hold what stands before the first token of many sequences.
///
/// Sequences share the full blocks and only read them; the last one, if it is not full, is copied for each sequence that
/// finds nothing longer. What sequences add hangs under a root that the prefix names.
extension KVCacheManager {
    /// What `installPrefix` gives.
    package struct Installed: Sendable, Equatable {
        package let blocks: [BlockID]
        /// Whether the blocks are still to be written. Until they are, no sequence may use the prefix.
        package let isNew: Bool
    }

    package func hasPrefix(_ id: PrefixID) -> Bool { prefixes[id] != nil }

    /// Blocks that all prefixes hold together.
    package var prefixBlockCount: Int { prefixes.blockCount }

    /// Takes the blocks for a prefix, giving up kept ones for it; nil when they cannot be had now. Those of a prefix that
    /// is there already are shared. Every installation must be undone by `releasePrefix`.
    package mutating func installPrefix(_ id: PrefixID, positions: Int) -> Installed? {
        if let blocks = prefixes.hold(id) { return Installed(blocks: blocks, isNew: false) }
        let count = configuration.blocks(for: positions)
        guard count <= pool.freeCount, prefixes.blockCount + count <= configuration.blocksForPrefixes,
            bytesOfOthers + count * configuration.blockBytes <= configuration.bytesForOthers
        else { return nil }
        var blocks: [BlockID] = []
        for _ in 0..<count {
            if let block = takeBlock() { blocks.append(block) }
        }
        prefixes.insert(id, .init(blocks: blocks, positions: positions))
        return Installed(blocks: blocks, isNew: true)
    }

    /// Lets go of a prefix; its blocks are free when nobody else installed it and no sequence has it.
    package mutating func releasePrefix(_ id: PrefixID) {
        for block in prefixes.letGo(id) { letGo(block) }
    }

    /// Full blocks of a sequence's prefix, which come before those of the tree.
    func wholeBlocks(of prefix: SharedPrefixes.Prefix?) -> ArraySlice<BlockID> {
        guard let prefix else { return [] }
        return prefix.blocks[..<(prefix.positions / blockSize)]
    }
}
