/// The roots of the prefix tree that have blocks under them, by key.
struct RootTable: Sendable {
    private var indices: [RootKey: Int] = [:]
    private var roots: [(key: RootKey, child: BlockID)] = []
    private var vacant: [Int] = []

    subscript(key: RootKey) -> Int? { indices[key] }

    /// Number of a root, which is made if it does not exist.
    mutating func index(of key: RootKey) -> Int {
        if let index = indices[key] { return index }
        let index = vacant.popLast() ?? roots.count
        if index == roots.count { roots.append((key, -1)) } else { roots[index] = (key, -1) }
        indices[key] = index
        return index
    }

    func key(of index: Int) -> RootKey { roots[index].key }

    /// Top of the treap of the blocks under a root; -1 when there is none.
    func child(of index: Int) -> BlockID { roots[index].child }

    mutating func setChild(of index: Int, _ child: BlockID) { roots[index].child = child }

    mutating func removeIfEmpty(_ index: Int) {
        guard roots[index].child < 0, indices.removeValue(forKey: roots[index].key) != nil else { return }
        vacant.append(index)
    }

    /// All roots with blocks. O(roots).
    var occupied: [Int] { Array(indices.values) }
}
