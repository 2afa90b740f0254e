package import KVCache

/// Names a sequence from its arrival to its end; later arrivals have larger numbers.
package struct SequenceID: Hashable, Sendable, Comparable {
    package let rawValue: UInt64

    package init(_ rawValue: UInt64) { self.rawValue = rawValue }

    package static func < (left: SequenceID, right: SequenceID) -> Bool { left.rawValue < right.rawValue }
}

/// What the scheduler is told of a new sequence.
package struct SequenceRequest: Sendable {
    /// At least one token.
    package var keys: SequenceKeys
    /// Smaller is served earlier; counts under the policy `priority`.
    package var priority: Int
    /// For whom the sequence is served; counts under the policy `fair`.
    package var tenant: String
    /// When it arrived, in nanoseconds of any clock that never goes back.
    package var arrival: Int64
    /// Whether the logits of every token are wanted, not only those of the last; nothing is reused then.
    package var wantsAllLogits: Bool
    /// Whether cached content may be used.
    package var readsCache: Bool

    package init(
        keys: SequenceKeys, priority: Int = 0, tenant: String = "", arrival: Int64 = 0, wantsAllLogits: Bool = false,
        readsCache: Bool = true
    ) {
        self.keys = keys
        self.priority = priority
        self.tenant = tenant
        self.arrival = arrival
        self.wantsAllLogits = wantsAllLogits
        self.readsCache = readsCache
    }
}

/// What the scheduler knows of a sequence: its tokens, for how many keys and values are in the cache, and where.
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
    package internal(set) var keys: SequenceKeys
    /// Tokens of the prompt.
    package let promptCount: Int
    /// Tokens whose keys and values are in the cache.
    package internal(set) var computedCount = 0
    package internal(set) var blocks: SequenceBlocks
    package let wantsAllLogits: Bool
    /// Whether cached content may be used.
    let readsCache: Bool
    package internal(set) var preemptions = 0
    /// Tokens that were found in the cache instead of being computed, until a first preemption; nil before the sequence
    /// runs.
    package internal(set) var cachedCount: Int?
    /// Tokens for which the tenant was charged, from the start.
    var chargedCount = 0
    let ticket: Ticket

    init(_ id: SequenceID, _ request: SequenceRequest, ticket: Ticket, blockSize: Int) {
        self.id = id
        self.ticket = ticket
        keys = request.keys
        promptCount = request.keys.count
        blocks = SequenceBlocks(blockSize: blockSize)
        wantsAllLogits = request.wantsAllLogits
        readsCache = request.readsCache && !request.wantsAllLogits
    }

    /// Fills a slot that no sequence has.
    static let vacant = SequenceState(
        SequenceID(.max), SequenceRequest(keys: SequenceKeys(tokens: [])),
        ticket: Ticket(id: SequenceID(.max), slot: -1, rank: 0, tenant: 0), blockSize: 1)

    package var tokens: [Int32] { keys.tokens }
    package var tokenCount: Int { keys.count }

    /// Tokens that the sequence still has to catch up with.
    package var pendingCount: Int { keys.count - computedCount }
}
