/// Names keys and values that are put before the first token of sequences: trained ones, or those of a soft prompt.
///
/// The number stands for one content as long as the process lives, and is below 2³⁹.
package struct PrefixID: Hashable, Sendable, Comparable {
    package let rawValue: UInt64

    package init(_ rawValue: UInt64) { self.rawValue = rawValue }

    package static func < (left: PrefixID, right: PrefixID) -> Bool { left.rawValue < right.rawValue }
}

/// The prefixes that are in memory. Each has its blocks once, however many sequences begin with it.
struct SharedPrefixes: Sendable {
    struct Prefix: Sendable {
        let blocks: [BlockID]
        let positions: Int
        /// How often it was installed.
        var holders = 1
    }

    private(set) var all: [PrefixID: Prefix] = [:]
    /// Blocks of all prefixes.
    private(set) var blockCount = 0

    subscript(id: PrefixID) -> Prefix? { all[id] }

    /// Holds a prefix once more; nil when there is none of this name.
    mutating func hold(_ id: PrefixID) -> [BlockID]? {
        all[id]?.holders += 1
        return all[id]?.blocks
    }

    mutating func insert(_ id: PrefixID, _ prefix: Prefix) {
        all[id] = prefix
        blockCount += prefix.blocks.count
    }

    /// Lets go once; returns the blocks that nobody needs for it any more.
    mutating func letGo(_ id: PrefixID) -> [BlockID] {
        guard var prefix = all[id] else { return [] }
        prefix.holders -= 1
        guard prefix.holders == 0 else {
            all[id] = prefix
            return []
        }
        all[id] = nil
        blockCount -= prefix.blocks.count
        return prefix.blocks
    }
}
