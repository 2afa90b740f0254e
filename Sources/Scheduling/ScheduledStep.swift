package import KVCache

/// What one step computes: plain data from the scheduler to the runner.
package struct ScheduledStep: Sendable, Equatable {
    /// A run of consecutive tokens of one sequence.
    package struct Entry: Sendable, Equatable {
        package let id: SequenceID
        /// Where the scheduler keeps the sequence; see `Scheduler.subscript(slot:)`.
        package let slot: Int
        /// First position to compute.
        package let start: Int
        package let count: Int
        /// Whether the run ends with the sequence's last token, so that its logits give the next one.
        package let reachesEnd: Bool
    }

    /// Blocks to copy, in this order, before anything is computed.
    package internal(set) var copies: [BlockCopy] = []
    package internal(set) var entries: [Entry] = []
    /// Sequences that lost their blocks to others in this step.
    package internal(set) var preempted: [SequenceID] = []
    /// Sequences that run for the first time.
    package internal(set) var admitted: [SequenceID] = []
    /// Tokens in all entries.
    package internal(set) var tokenCount = 0
    /// Tokens of sequences that want the logits of all of them.
    package internal(set) var promptLogits = 0
    /// Tokens in entries that do not just give a running sequence its next token.
    var prefillTokens = 0
    var hasDecodes = false

    mutating func add(_ entry: Entry, isPrefill: Bool, wantsAllLogits: Bool) {
        entries.append(entry)
        tokenCount += entry.count
        if wantsAllLogits { promptLogits += entry.count }
        if isPrefill { prefillTokens += entry.count } else { hasDecodes = true }
    }
}
