extension KVCacheManager {
    /// Describes the first contradiction between pool, tree, ledger and what the sequences hold; nil when there is none.
    ///
    /// O(blocks log blocks). Tests run it after every step.
    package func inconsistency(with sequences: some Sequence<SequenceBlocks>) -> String? {
        var holders = Array(repeating: Int32(0), count: pool.usedCount)
        for prefix in prefixes.all.values {
            for block in prefix.blocks {
                guard block >= 0, Int(block) < holders.count else { return "block \(block) is outside the pool" }
                holders[Int(block)] += 1
                if tree.contains(block) { return "block \(block) of a prefix is in the tree" }
            }
        }
        let held = prefixes.all.values.reduce(0) { $0 + $1.blocks.count }
        if held != prefixes.blockCount { return "the prefixes have \(held) blocks, not \(prefixes.blockCount)" }
        for sequence in sequences {
            for block in sequence.table.blocks + sequence.merges.map(\.block) {
                guard block >= 0, Int(block) < holders.count else { return "block \(block) is outside the pool" }
                holders[Int(block)] += 1
            }
            if let problem = pathProblem(sequence) { return problem }
        }
        return poolProblem(holders) ?? treeProblem() ?? recencyProblem()
    }

    private func pathProblem(_ sequence: SequenceBlocks) -> String? {
        guard !sequence.isDetached else { return nil }
        guard sequence.registered <= sequence.table.blocks.count else { return "a sequence registered too much" }
        var path = Array(sequence.table.blocks[..<sequence.registered])
        for merge in sequence.merges { path[merge.index] = merge.block }
        guard sequence.sharedCount <= path.count else { return "a sequence has less than its prefix" }
        for (index, block) in path.enumerated() where index >= sequence.sharedCount {
            guard tree.contains(block) else { return "block \(block) of a path is not in the tree" }
            switch tree.nodes[Int(block)].parent {
            case .root:
                if index != sequence.sharedCount { return "block \(block) hangs under a root but is not a first block" }
            case .block(let parent):
                if index == sequence.sharedCount || parent != path[index - 1] {
                    return "block \(block) hangs under a foreign block"
                }
            }
        }
        return nil
    }

    private func poolProblem(_ holders: [Int32]) -> String? {
        let blank = Set(pool.blank)
        guard blank.count == pool.blank.count else { return "a block is blank twice" }
        for (index, count) in holders.enumerated() {
            let block = BlockID(index)
            if pool.references[index] != count {
                return "block \(block) counts \(pool.references[index]) holders, sequences show \(count)"
            }
            if count > 0, blank.contains(block) || pool.isKept(block) { return "block \(block) is held and free" }
            if count == 0, blank.contains(block) == pool.isKept(block) {
                return "block \(block) must be either blank or kept"
            }
            if count == 0, pool.isKept(block) != tree.contains(block) {
                return "block \(block) is kept but not in the tree, or in the tree but not kept"
            }
        }
        let bytes = (pool.heldCount + pool.kept.count) * configuration.blockBytes
        if ledger.used(by: .blocks) != bytes { return "the ledger shows other bytes than the blocks in use have" }
        return ledger.total <= ledger.budget ? nil : "the ledger exceeds its budget"
    }

    private func treeProblem() -> String? {
        var seen = 0
        for root in tree.roots.occupied {
            if tree.roots.child(of: root) < 0 { return "root \(root) has nothing under it" }
            if let problem = siblingsProblem(tree.roots.child(of: root), under: .root(root), &seen) { return problem }
        }
        return seen == tree.count ? nil : "\(tree.count - seen) nodes of the tree cannot be reached"
    }

    private func siblingsProblem(_ top: BlockID, under parent: PrefixTree.Parent, _ seen: inout Int) -> String? {
        var previous: BlockID = -1
        var pending: [BlockID] = []
        var block = top
        while block >= 0 || !pending.isEmpty {
            while block >= 0 {
                pending.append(block)
                block = tree.nodes[Int(block)].left
            }
            let next = pending.removeLast()
            let node = tree.nodes[Int(next)]
            seen += 1
            guard tree.contains(next), node.parent == parent else { return "block \(next) is at a wrong place" }
            if previous >= 0, !tree.precedes(previous, next) { return "siblings \(previous), \(next) are out of order" }
            if node.child >= 0 {
                if node.keys.count < configuration.blockSize { return "block \(next) is not full but has children" }
                if let problem = siblingsProblem(node.child, under: .block(next), &seen) { return problem }
            }
            previous = next
            block = node.right
        }
        return nil
    }

    /// A kept block must have been let go before the one it hangs under.
    private func recencyProblem() -> String? {
        let order = pool.kept.blocks
        guard order.count == pool.kept.count else { return "the list of kept blocks is broken" }
        let place = Dictionary(uniqueKeysWithValues: order.enumerated().map { ($1, $0) })
        for (index, block) in order.enumerated() {
            guard case .block(let parent) = tree.nodes[Int(block)].parent, let above = place[parent] else { continue }
            if above < index { return "block \(parent) would be given up before block \(block) under it" }
        }
        return nil
    }
}
