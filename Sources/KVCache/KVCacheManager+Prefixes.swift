/// What sequences give to the prefix tree, and take from it while they are computed.
extension KVCacheManager {
    /// Adds the blocks that `computed` positions fill, counting those that this step computes.
    ///
    /// - Parameter includingTail: whether to add the partly filled block as well.
    package mutating func register(
        _ keys: SequenceKeys, _ blocks: inout SequenceBlocks, computed: Int, includingTail: Bool
    ) {
        guard configuration.isPrefixCachingEnabled, !blocks.isDetached else { return }
        while (blocks.registered + 1) * blockSize <= computed { registerNext(keys, &blocks) }
        if includingTail { registerTail(keys, &blocks, computed: computed) }
    }

    /// Goes on, at a block's start, with content that others computed meanwhile, and gives back the blocks reserved for
    /// it.
    ///
    /// - Returns: how many positions are computed now, at most `positions` - 1.
    package mutating func advance(
        _ keys: SequenceKeys, _ blocks: inout SequenceBlocks, computed: Int, positions: Int
    ) -> Int {
        guard configuration.isPrefixCachingEnabled, !blocks.isDetached, blocks.merges.isEmpty else { return computed }
        var computed = computed
        while computed == blocks.registered * blockSize, computed + blockSize < positions, !blocks.hasTailNode,
            let parent = knownParent(keys, blocks),
            let block = tree.find(keys, computed..<(computed + blockSize), under: parent)
        {
            pool.retain(block)
            let own = blocks.table.blocks[blocks.registered]
            blocks.table.replace(at: blocks.registered, with: block)
            letGo(own)
            blocks.registered += 1
            computed += blockSize
        }
        return computed
    }

    /// Puts the blocks of others in the place of own ones with the same content.
    package mutating func settle(_ blocks: inout SequenceBlocks) {
        guard !blocks.merges.isEmpty else { return }
        for merge in blocks.merges {
            letGo(blocks.table.blocks[merge.index])
            blocks.table.replace(at: merge.index, with: merge.block)
        }
        blocks.merges = []
    }

    private mutating func registerNext(_ keys: SequenceKeys, _ blocks: inout SequenceBlocks) {
        let index = blocks.registered
        let own = blocks.table.blocks[index]
        if blocks.hasTailNode {
            forget(own)
            blocks.hasTailNode = false
        }
        let range = index * blockSize..<(index + 1) * blockSize
        let parent = parent(keys, blocks)
        if let other = tree.insert(own, keys, range, under: parent, step: step) {
            pool.retain(other)
            blocks.merges.append(.init(index: index, block: other))
        } else {
            noteAdded(own, parent: parent, root: keys.root)
        }
        blocks.registered += 1
    }

    mutating func registerTail(_ keys: SequenceKeys, _ blocks: inout SequenceBlocks, computed: Int) {
        let start = blocks.registered * blockSize
        guard configuration.isPrefixCachingEnabled, !blocks.isDetached, computed > start else { return }
        let own = blocks.table.blocks[blocks.registered]
        if blocks.hasTailNode {
            guard tree.nodes[Int(own)].keys.count < computed - start else { return }
            forget(own)
            blocks.hasTailNode = false
        }
        let parent = parent(keys, blocks)
        guard tree.insert(own, keys, start..<computed, under: parent, step: step) == nil else { return }
        noteAdded(own, parent: parent, root: keys.root)
        blocks.hasTailNode = true
    }

    /// Where the first block hangs that is not yet a node.
    private mutating func parent(_ keys: SequenceKeys, _ blocks: SequenceBlocks) -> PrefixTree.Parent {
        lastNode(blocks).map { .block($0) } ?? tree.root(of: keys)
    }

    private func knownParent(_ keys: SequenceKeys, _ blocks: SequenceBlocks) -> PrefixTree.Parent? {
        lastNode(blocks).map { .block($0) } ?? tree.roots[keys.root].map { .root($0) }
    }

    private func lastNode(_ blocks: SequenceBlocks) -> BlockID? {
        guard blocks.registered > blocks.sharedCount else { return nil }
        if let merge = blocks.merges.last, merge.index == blocks.registered - 1 { return merge.block }
        return blocks.table.blocks[blocks.registered - 1]
    }
}
