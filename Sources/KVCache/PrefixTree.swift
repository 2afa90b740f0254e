/// The longest known beginning of a sequence: whole blocks to share, and part of one to copy.
struct PrefixMatch: Sendable, Equatable {
    struct Partial: Sendable, Equatable {
        let block: BlockID
        /// Positions from the block's start that match.
        let count: Int
    }

    var blocks: [BlockID] = []
    var partial: Partial?
}

/// Finds cached blocks by the content of the sequences they belong to.
///
/// A node is a block: its index is the block's. It hangs under the block before it, or under a root, and siblings are
/// ordered by content, so the sibling that shares the longest beginning with a sequence lies on the way to where that
/// sequence would be inserted. Content is compared position by position, never by a hash: no collision can give one
/// sequence the keys and values of another. Siblings form a treap; finding, adding and removing take O(log siblings)
/// comparisons of one block each.
struct PrefixTree: Sendable {
    /// Where a block hangs.
    enum Parent: Sendable, Equatable {
        case root(Int)
        case block(BlockID)
    }

    struct Node: Sendable {
        var keys: [PositionKey] = []
        var parent = Parent.root(-1)
        /// Top of the children's treap.
        var child: BlockID = -1
        var left: BlockID = -1
        var right: BlockID = -1
        var priority: UInt64 = 0
        /// Step in which the content is computed.
        var step = 0
    }

    let blockSize: Int
    private(set) var nodes: ContiguousArray<Node> = []
    private(set) var roots = RootTable()
    private(set) var count = 0
    private var random: UInt64 = 0x9E37_79B9_7F4A_7C15

    init(blockSize: Int) { self.blockSize = blockSize }

    func contains(_ block: BlockID) -> Bool { Int(block) < nodes.count && !nodes[Int(block)].keys.isEmpty }

    // MARK: Finding

    /// The longest known beginning of the first `limit` positions, from block `first` on. A part of a block counts only if it was computed
    /// before `step`, since it is to be copied. O(limit log siblings).
    func match(_ keys: SequenceKeys, from first: Int = 0, limit: Int, before step: Int) -> PrefixMatch {
        var match = PrefixMatch()
        guard let root = roots[keys.root] else { return match }
        var parent = Parent.root(root)
        while (first + match.blocks.count) * blockSize < limit {
            let start = (first + match.blocks.count) * blockSize
            let found = withKeys(of: keys, start..<min(start + blockSize, limit)) { wanted in
                search(child(of: parent), wanted, before: step)
            }
            guard let block = found.whole else {
                match.partial = found.partial
                break
            }
            match.blocks.append(block)
            parent = .block(block)
        }
        return match
    }

    /// The full block with the content of `range`, which starts at a block's start, under `parent`.
    func find(_ keys: SequenceKeys, _ range: Range<Int>, under parent: Parent) -> BlockID? {
        withKeys(of: keys, range) { search(child(of: parent), $0, before: 0).whole }
    }

    /// The place under which the first block of a sequence hangs, made if need be.
    mutating func root(of keys: SequenceKeys) -> Parent { .root(roots.index(of: keys.root)) }

    func withKeys<R>(
        of keys: SequenceKeys, _ range: Range<Int>, _ body: (UnsafeBufferPointer<PositionKey>) -> R
    ) -> R {
        withUnsafeTemporaryAllocation(of: PositionKey.self, capacity: blockSize) { buffer in
            keys.copy(range, into: buffer)
            return body(UnsafeBufferPointer(rebasing: buffer[..<range.count]))
        }
    }

    private func search(
        _ top: BlockID, _ wanted: UnsafeBufferPointer<PositionKey>, before step: Int
    ) -> (whole: BlockID?, partial: PrefixMatch.Partial?) {
        var partial: PrefixMatch.Partial?
        var block = top
        while block >= 0 {
            let (common, goesLeft) = compare(wanted, nodes[Int(block)].keys)
            if common == blockSize { return (block, nil) }
            if common > partial?.count ?? 0, nodes[Int(block)].step < step {
                partial = .init(block: block, count: common)
            }
            block = goesLeft ? nodes[Int(block)].left : nodes[Int(block)].right
        }
        return (nil, partial)
    }

    /// How many keys agree from the start, and whether `wanted` comes before `keys`.
    private func compare(
        _ wanted: UnsafeBufferPointer<PositionKey>, _ keys: [PositionKey]
    ) -> (common: Int, isBefore: Bool) {
        let shared = min(wanted.count, keys.count)
        var common = 0
        while common < shared, wanted[common] == keys[common] { common += 1 }
        if common < shared { return (common, wanted[common] < keys[common]) }
        return (common, wanted.count < keys.count)
    }

    private func child(of parent: Parent) -> BlockID {
        switch parent {
        case .root(let index): roots.child(of: index)
        case .block(let block): nodes[Int(block)].child
        }
    }

    private mutating func setChild(of parent: Parent, _ child: BlockID) {
        switch parent {
        case .root(let index): roots.setChild(of: index, child)
        case .block(let block): nodes[Int(block)].child = child
        }
    }

    // MARK: Changing

    /// Adds a block with the content of `range` under `parent`, unless a block there begins with the same content:
    /// that one is returned then, and nothing is added.
    mutating func insert(
        _ block: BlockID, _ keys: SequenceKeys, _ range: Range<Int>, under parent: Parent, step: Int
    ) -> BlockID? {
        let content = withKeys(of: keys, range) { wanted -> Result<[PositionKey], Existing> in
            var other = child(of: parent)
            while other >= 0 {
                let (common, goesLeft) = compare(wanted, nodes[Int(other)].keys)
                if common == wanted.count { return .failure(Existing(block: other)) }
                other = goesLeft ? nodes[Int(other)].left : nodes[Int(other)].right
            }
            return .success(Array(wanted))
        }
        switch content {
        case .failure(let existing): return existing.block
        case .success(let keys):
            while nodes.count <= Int(block) { nodes.append(Node()) }
            nodes[Int(block)] = Node(keys: keys, parent: parent, priority: nextPriority(), step: step)
            setChild(of: parent, inserting(block, into: child(of: parent)))
            count += 1
            return nil
        }
    }

    private struct Existing: Error { let block: BlockID }

    /// Removes a block that has no children.
    mutating func remove(_ block: BlockID) {
        let parent = nodes[Int(block)].parent
        setChild(of: parent, removing(block, from: child(of: parent)))
        nodes[Int(block)] = Node()
        count -= 1
        if case .root(let index) = parent { roots.removeIfEmpty(index) }
    }

    mutating func removeAll() {
        for index in nodes.indices { nodes[index] = Node() }
        roots = RootTable()
        count = 0
    }

    /// Priorities must not follow from content, which clients choose: a sequence of their own (xorshift64*).
    private mutating func nextPriority() -> UInt64 {
        random ^= random >> 12
        random ^= random << 25
        random ^= random >> 27
        return random &* 0x2545_F491_4F6C_DD1D
    }

    // MARK: Treap of siblings

    private mutating func inserting(_ block: BlockID, into top: BlockID) -> BlockID {
        guard top >= 0, nodes[Int(top)].priority >= nodes[Int(block)].priority else {
            let (less, greater) = split(top, at: block)
            nodes[Int(block)].left = less
            nodes[Int(block)].right = greater
            return block
        }
        if precedes(block, top) {
            nodes[Int(top)].left = inserting(block, into: nodes[Int(top)].left)
        } else {
            nodes[Int(top)].right = inserting(block, into: nodes[Int(top)].right)
        }
        return top
    }

    private mutating func removing(_ block: BlockID, from top: BlockID) -> BlockID {
        guard top >= 0 else { return top }
        if top == block { return merge(nodes[Int(block)].left, nodes[Int(block)].right) }
        if precedes(block, top) {
            nodes[Int(top)].left = removing(block, from: nodes[Int(top)].left)
        } else {
            nodes[Int(top)].right = removing(block, from: nodes[Int(top)].right)
        }
        return top
    }

    private mutating func split(_ top: BlockID, at block: BlockID) -> (less: BlockID, greater: BlockID) {
        guard top >= 0 else { return (-1, -1) }
        if precedes(block, top) {
            let (less, greater) = split(nodes[Int(top)].left, at: block)
            nodes[Int(top)].left = greater
            return (less, top)
        }
        let (less, greater) = split(nodes[Int(top)].right, at: block)
        nodes[Int(top)].right = less
        return (top, greater)
    }

    private mutating func merge(_ less: BlockID, _ greater: BlockID) -> BlockID {
        guard less >= 0 else { return greater }
        guard greater >= 0 else { return less }
        if nodes[Int(less)].priority >= nodes[Int(greater)].priority {
            nodes[Int(less)].right = merge(nodes[Int(less)].right, greater)
            return less
        }
        nodes[Int(greater)].left = merge(less, nodes[Int(greater)].left)
        return greater
    }

    func precedes(_ left: BlockID, _ right: BlockID) -> Bool {
        nodes[Int(left)].keys.withUnsafeBufferPointer { compare($0, nodes[Int(right)].keys).isBefore }
    }
}
