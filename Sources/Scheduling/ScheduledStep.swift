/// What one step computes: plain data from the scheduler to the runner.
package struct ScheduledStep: Sendable, Equatable {
    /// A run of consecutive tokens of one sequence.
    package struct Entry: Sendable, Equatable {
        package let id: SequenceID
        /// First position to compute.
        package let start: Int
        package let count: Int
        /// Whether the run ends with the sequence's last token, so that its logits give the next one.
        package let reachesEnd: Bool
    }

    package internal(set) var entries: [Entry] = []
    /// Sequences that lost their blocks to others in this step.
    package internal(set) var preempted: [SequenceID] = []
    /// Tokens in all entries.
    package internal(set) var tokenCount = 0
    /// Tokens of sequences that want the logits of all of them.
    package internal(set) var promptLogits = 0
}
