import DequeModule
package import KVCache

/// Limits that the scheduler keeps in every step.
package struct SchedulerConfiguration: Sendable {
    /// Most sequences that run at once.
    package var maxSequences: Int
    /// Most tokens in one step.
    package var maxBatchedTokens: Int
    /// Most tokens in one step of sequences that want the logits of all their tokens: bounds the memory for logits.
    package var maxPromptLogits: Int
    package var blockSize: Int
    package var blockCount: Int

    package init(
        maxSequences: Int, maxBatchedTokens: Int, maxPromptLogits: Int = .max, blockSize: Int, blockCount: Int
    ) {
        self.maxSequences = maxSequences
        self.maxBatchedTokens = maxBatchedTokens
        self.maxPromptLogits = maxPromptLogits
        self.blockSize = blockSize
        self.blockCount = blockCount
    }
}

/// Decides which tokens of which sequences each step computes: a deterministic state machine without I/O or clock.
///
/// There is one rule: a sequence has tokens and computed tokens, and a step closes part of the difference. Prefill in
/// chunks, decode and recomputation after preemption are all that rule. Running sequences come first, in order of
/// arrival; then waiting ones are admitted while tokens, blocks and places last. A sequence is admitted only when
/// blocks for all its present tokens are free, and they are reserved at once. When a running sequence finds no block
/// for its next token, the one that arrived last gives up its blocks and waits at the head of the queue; so the oldest
/// sequence always goes on, and every sequence ends.
package struct Scheduler: Sendable {
    package let configuration: SchedulerConfiguration
    package private(set) var pool: BlockPool
    private var sequences: [SequenceID: SequenceState] = [:]
    private var waiting: Deque<SequenceID> = []
    private var running: [SequenceID] = []

    package init(_ configuration: SchedulerConfiguration) {
        self.configuration = configuration
        pool = BlockPool(count: configuration.blockCount)
    }

    package var waitingCount: Int { waiting.count }
    package var runningCount: Int { running.count }
    package var isIdle: Bool { sequences.isEmpty }

    package subscript(id: SequenceID) -> SequenceState? { sequences[id] }

    // MARK: Events

    /// Queues a new sequence of `tokenCount` ≥ 1 tokens.
    ///
    /// The caller sees to it that blocks of the whole pool can hold the sequence at its longest.
    package mutating func add(_ id: SequenceID, tokenCount: Int, wantsAllLogits: Bool = false) {
        sequences[id] = SequenceState(
            id: id, tokenCount: tokenCount, table: BlockTable(blockSize: configuration.blockSize),
            wantsAllLogits: wantsAllLogits)
        waiting.append(id)
    }

    /// Appends one generated token to a sequence.
    package mutating func append(to id: SequenceID) {
        sequences[id]?.tokenCount += 1
    }

    /// Forgets a sequence, whatever its state, and frees its blocks. O(running + waiting).
    package mutating func remove(_ id: SequenceID) {
        guard var state = sequences.removeValue(forKey: id) else { return }
        pool.release(&state.table)
        switch state.status {
        case .running: running.removeAll { $0 == id }
        case .waiting: waiting.removeAll { $0 == id }
        }
    }

    // MARK: Scheduling

    /// Chooses the next step and counts its tokens as computed. O(running + admitted) plus O(1) per block.
    package mutating func schedule() -> ScheduledStep {
        var step = ScheduledStep()
        scheduleRunning(&step)
        if step.preempted.isEmpty { admitWaiting(&step) }
        return step
    }

    private mutating func scheduleRunning(_ step: inout ScheduledStep) {
        var position = 0
        while position < running.count, step.tokenCount < configuration.maxBatchedTokens {
            let id = running[position]
            guard reserve(id, &step) else { break }
            compute(id, &step)
            position += 1
        }
    }

    private mutating func admitWaiting(_ step: inout ScheduledStep) {
        while let id = waiting.first, running.count < configuration.maxSequences,
            step.tokenCount < configuration.maxBatchedTokens, allocate(id)
        {
            waiting.removeFirst()
            running.append(id)
            sequences[id]?.status = .running
            compute(id, &step)
        }
    }

    /// Gets blocks for all tokens of a running sequence, taking them from later arrivals if need be; false if it was
    /// itself the last and gave up its own.
    private mutating func reserve(_ id: SequenceID, _ step: inout ScheduledStep) -> Bool {
        while !allocate(id) {
            guard let victim = running.last else { return false }
            preempt(victim, &step)
            if victim == id { return false }
        }
        return true
    }

    private mutating func allocate(_ id: SequenceID) -> Bool {
        guard var state = sequences.removeValue(forKey: id) else { return false }
        defer { sequences[id] = state }
        return pool.allocate(state.table.shortage(for: state.tokenCount), into: &state.table)
    }

    private mutating func preempt(_ id: SequenceID, _ step: inout ScheduledStep) {
        running.removeLast()
        guard var state = sequences.removeValue(forKey: id) else { return }
        pool.release(&state.table)
        state.computedCount = 0
        state.status = .waiting
        state.preemptions += 1
        sequences[id] = state
        waiting.prepend(id)
        step.preempted.append(id)
    }

    private mutating func compute(_ id: SequenceID, _ step: inout ScheduledStep) {
        guard let state = sequences[id] else { return }
        let budget = configuration.maxBatchedTokens - step.tokenCount
        var count = min(state.pendingCount, budget)
        if state.wantsAllLogits {
            count = min(count, configuration.maxPromptLogits - step.promptLogits)
            step.promptLogits += count
        }
        guard count > 0 else { return }
        step.entries.append(
            .init(
                id: id, start: state.computedCount, count: count,
                reachesEnd: state.computedCount + count == state.tokenCount))
        step.tokenCount += count
        sequences[id]?.computedCount += count
    }
}

extension Scheduler {
    /// Describes the first contradiction in the scheduler's books; nil when there is none. O(blocks + sequences).
    package var inconsistency: String? {
        if let problem = pool.inconsistency(with: sequences.values.map(\.table)) { return problem }
        guard Set(running).count == running.count, Set(waiting).count == waiting.count else {
            return "a sequence is queued twice"
        }
        guard running.count + waiting.count == sequences.count else { return "a sequence is in no queue" }
        guard running.allSatisfy({ sequences[$0]?.status == .running }) else { return "a running sequence waits" }
        for state in sequences.values {
            if state.computedCount > state.tokenCount { return "\(state.id) computed more tokens than it has" }
            if state.status == .waiting, !state.table.blocks.isEmpty { return "\(state.id) waits but holds blocks" }
            if state.status == .running, state.table.capacity < state.computedCount {
                return "\(state.id) computed more tokens than its blocks hold"
            }
        }
        return running == running.sorted() ? nil : "running sequences are out of order"
    }
}
