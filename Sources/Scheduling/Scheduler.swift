package import KVCache

/// Decides which tokens of which sequences each step computes: a deterministic state machine without I/O or clock.
///
/// There is one rule: a sequence has tokens and computed tokens, and a step closes part of the difference. Prefill in
/// chunks, decode, reuse of cached content and recomputation after preemption are all that rule. Running sequences come
/// first: those that lack just one token, then those that lack more; then waiting ones are admitted while tokens, blocks
/// and places last. A sequence is admitted only when blocks for all its present tokens are free, and they are reserved
/// at once. When a running sequence finds no block for its next token, the last in the order of service gives up its
/// blocks and waits; so the first always goes on, and every sequence ends.
package struct Scheduler: Sendable {
    package let configuration: SchedulerConfiguration
    package private(set) var cache: KVCacheManager
    private var sequences = SequenceTable()
    private var waiting: any WaitingLine
    /// In the order of service.
    private var running: [Ticket] = []
    private let chunks: ChunkLimit
    private let watermarkBlocks: Int
    /// Who did not fit, and how many blocks had been let go by then.
    private var blocked: (id: SequenceID, releases: Int)?

    package init(_ configuration: SchedulerConfiguration) {
        self.configuration = configuration
        cache = KVCacheManager(configuration.cache)
        chunks = ChunkLimit(configuration: configuration)
        watermarkBlocks = Int((configuration.watermark * Double(configuration.cache.blockCount)).rounded(.up))
        waiting = configuration.policy == .fair ? FairLine(weights: configuration.tenantWeights) : RankedLine()
    }

    package var waitingCount: Int { waiting.count }
    package var runningCount: Int { running.count }
    /// Whether a sequence could not go on, or could not begin, for lack of blocks.
    package private(set) var lacksMemory = false
    package var isIdle: Bool { sequences.count == 0 }

    package subscript(id: SequenceID) -> SequenceState? { sequences.slot(of: id).map { sequences.states[$0] } }

    /// The state of the sequence at a slot, as the entries of the latest step name it.
    package subscript(slot slot: Int) -> SequenceState { _read { yield sequences.states[slot] } }

    // MARK: Events

    /// Queues a new sequence.
    ///
    /// The caller sees to it that blocks of the whole pool can hold the sequence at its longest.
    package mutating func add(_ id: SequenceID, _ request: SequenceRequest) {
        let tenant = waiting.arrived(request.tenant)
        let rank = rank(of: id, request)
        let blockSize = configuration.cache.blockSize
        let slot = sequences.insert(id) { slot in
            SequenceState(
                id, request, ticket: Ticket(id: id, slot: slot, rank: rank, tenant: tenant), blockSize: blockSize)
        }
        waiting.insert(sequences.states[slot].ticket)
    }

    private func rank(of id: SequenceID, _ request: SequenceRequest) -> Int64 {
        guard configuration.policy == .priority else { return Int64(clamping: id.rawValue) }
        let (worth, tooMuch) = configuration.nanosecondsPerPriority.multipliedReportingOverflow(
            by: Int64(request.priority))
        let (rank, overflow) = request.arrival.addingReportingOverflow(worth)
        guard tooMuch || overflow else { return rank }
        return request.priority < 0 ? .min : .max
    }

    /// Appends one generated token to a sequence.
    package mutating func append(_ token: Int32, to id: SequenceID) {
        guard let slot = sequences.slot(of: id) else { return }
        sequences.states[slot].keys.append(token)
    }

    /// Forgets a sequence, whatever its state, and frees its blocks. O(running + waiting).
    package mutating func remove(_ id: SequenceID) {
        guard var state = sequences.remove(id) else { return }
        if blocked?.id == id { blocked = nil }
        cache.release(state.keys, &state.blocks, computed: state.computedCount)
        switch state.status {
        case .running: running.removeAll { $0.id == id }
        case .waiting: waiting.remove(state.ticket)
        }
        waiting.left(state.ticket.tenant)
    }

    /// Takes back a step that could not be computed. Its sequences must be removed next.
    package mutating func abandon(_ step: ScheduledStep) {
        for entry in step.entries {
            sequences.states[entry.slot].computedCount = entry.start
            sequences.states[entry.slot].blocks.detach()
        }
        cache.abandonStep()
    }

    /// Forgets all cached content; sequences in flight go on, and leave nothing for others.
    package mutating func resetPrefixCache() {
        for slot in sequences.slots { sequences.states[slot].blocks.detach() }
        cache.reset()
    }

    /// Changes the cache between two steps.
    package mutating func withCache<R>(_ body: (inout KVCacheManager) -> R) -> R { body(&cache) }

    // MARK: Scheduling

    /// Chooses the next step and counts its tokens as computed. O(running + admitted), plus O(log siblings) for each
    /// block that is filled or found.
    package mutating func schedule() -> ScheduledStep {
        var step = ScheduledStep()
        cache.beginStep()
        if waiting.reordersRunning { running.sort { waiting.precedes($0, $1) } }
        scheduleDecodes(&step)
        schedulePrefills(&step)
        if step.preempted.isEmpty { admitWaiting(&step) }
        step.copies = cache.stepCopies
        lacksMemory = !step.preempted.isEmpty || blocked != nil
        return step
    }

    /// Those that lack one token; only they need blocks that were not reserved.
    private mutating func scheduleDecodes(_ step: inout ScheduledStep) {
        var position = 0
        while position < running.count, step.tokenCount < configuration.maxBatchedTokens {
            let ticket = running[position]
            if sequences.states[ticket.slot].settle(in: &cache) == 1 {
                guard reserve(ticket, &step) else { break }
                compute(ticket, &step)
            }
            position += 1
        }
    }

    private mutating func schedulePrefills(_ step: inout ScheduledStep) {
        for ticket in running where sequences.states[ticket.slot].pendingCount > 0 {
            guard step.tokenCount < configuration.maxBatchedTokens else { return }
            compute(ticket, &step)
        }
    }

    private mutating func admitWaiting(_ step: inout ScheduledStep) {
        while running.count < configuration.maxSequences, let ticket = waiting.first, hasRoom(for: ticket, step),
            admit(ticket)
        {
            waiting.remove(ticket)
            running.insert(ticket, at: place(of: ticket))
            step.admitted.append(ticket.id)
            compute(ticket, &step)
        }
    }

    /// Where a newly admitted sequence goes among the running.
    private func place(of ticket: Ticket) -> Int {
        running.lastIndex { waiting.precedes($0, ticket) }.map { $0 + 1 } ?? 0
    }

    private func hasRoom(for ticket: Ticket, _ step: ScheduledStep) -> Bool {
        let isAlone = running.isEmpty && waiting.count == 1
        return step.tokenCount < configuration.maxBatchedTokens
            && sequences.states[ticket.slot].chunk(chunks, isAlone: isAlone, step) > 0
    }

    private mutating func admit(_ ticket: Ticket) -> Bool {
        if let blocked, blocked.id == ticket.id, blocked.releases == cache.releaseCount, !running.isEmpty {
            return false
        }
        let reserve = running.isEmpty ? 0 : watermarkBlocks
        let isAdmitted = sequences.states[ticket.slot].admit(in: &cache, reserve: reserve)
        blocked = isAdmitted ? nil : (ticket.id, cache.releaseCount)
        return isAdmitted
    }

    /// Gets blocks for all tokens of a running sequence, taking them from those after it if need be; false if it was
    /// itself the last and gave up its own.
    private mutating func reserve(_ ticket: Ticket, _ step: inout ScheduledStep) -> Bool {
        while !sequences.states[ticket.slot].grow(in: &cache) {
            guard let victim = running.last else { return false }
            preempt(victim, &step)
            if victim.id == ticket.id { return false }
        }
        return true
    }

    private mutating func preempt(_ ticket: Ticket, _ step: inout ScheduledStep) {
        running.removeLast()
        sequences.states[ticket.slot].preempt(in: &cache)
        waiting.insert(ticket)
        step.preempted.append(ticket.id)
    }

    private mutating func compute(_ ticket: Ticket, _ step: inout ScheduledStep) {
        let isAlone = running.count + waiting.count == 1
        let charge = sequences.states[ticket.slot].compute(in: &cache, chunks, isAlone: isAlone, &step)
        if charge > 0 { waiting.charge(Double(charge), to: ticket.tenant) }
    }
}

extension Scheduler {
    /// Describes the first contradiction in the scheduler's books; nil when there is none. O(blocks + sequences).
    package var inconsistency: String? {
        let states = sequences.slots.map { sequences.states[$0] }
        if let problem = cache.inconsistency(with: states.map(\.blocks)) { return problem }
        let waitingIDs = Set(waiting.tickets.map(\.id))
        let runningIDs = Set(running.map(\.id))
        guard waitingIDs.count == waiting.count, runningIDs.count == running.count else {
            return "a sequence is queued twice"
        }
        guard states.count == waiting.count + running.count else { return "a sequence is in no queue" }
        for state in states {
            guard (state.status == .running ? runningIDs : waitingIDs).contains(state.id) else {
                return "\(state.id) is in the wrong queue"
            }
            if state.computedCount > state.tokenCount { return "\(state.id) computed more tokens than it has" }
            if state.status == .waiting, !state.blocks.table.blocks.isEmpty { return "\(state.id) waits with blocks" }
            if state.status == .running, state.blocks.table.capacity < state.computedCount {
                return "\(state.id) computed more tokens than its blocks hold"
            }
        }
        return nil
    }
}
