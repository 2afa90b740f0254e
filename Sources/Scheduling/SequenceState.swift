package import KVCache

/// Names a sequence from its arrival to its end; later arrivals have larger numbers.
package struct SequenceID: Hashable, Sendable, Comparable {
    package let rawValue: UInt64

    package init(_ rawValue: UInt64) { self.rawValue = rawValue }

    package static func < (left: SequenceID, right: SequenceID) -> Bool { left.rawValue < right.rawValue }
}

/// What the scheduler knows of a sequence: how many tokens it has and for how many keys and values are in the cache.
package struct SequenceState: Sendable {
    package enum Status: Sendable {
        /// Holds no blocks: new, or preempted.
        case waiting
        /// Holds blocks and takes part in steps.
        case running
    }

    package let id: SequenceID
    package internal(set) var status = Status.waiting
    /// Prompt and output together.
    package internal(set) var tokenCount: Int
    /// Tokens whose keys and values are in the cache.
    package internal(set) var computedCount = 0
    package internal(set) var table: BlockTable
    /// Whether the logits of every token are wanted, not only those of the last.
    package let wantsAllLogits: Bool
    package internal(set) var preemptions = 0

    /// Tokens that the sequence still has to catch up with.
    package var pendingCount: Int { tokenCount - computedCount }
}
