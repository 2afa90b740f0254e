internal import KVCache
import Models
import Sampling
import Scheduling

extension EngineCore {
    /// Schedules, executes and samples once.
    func step() {
        let started = ContinuousClock.now
        let step = scheduler.schedule()
        for id in step.preempted { notePreemption(of: id) }
        if scheduler.lacksMemory, scheduler.cache.holdsAdapters { onPressure?() }
        guard !step.entries.isEmpty else { return }
        noteScheduled(step, at: started)
        if !step.copies.isEmpty { runner.copyBlocks(step.copies.map { (from: $0.from, to: $0.to) }) }
        let batch = StepBatch(step, scheduler: scheduler, choices: choices)
        let width = batch.forward.logitWidth(runner.shape)
        let rows = logits.reserve(rows: batch.rows.count, width: width)
        do {
            try runner.execute(batch.forward, logits: rows)
        } catch {
            return fail(step, EngineError.failed("The model could not compute a step: \(error)"))
        }
        recorder.stepped(tokens: step.tokenCount)
        let outcomes = sampling.run(batch.rows.compactMap(job), logits: rows, stride: width)
        let now = ContinuousClock.now
        for (row, outcome) in zip(batch.rows, outcomes) { apply(outcome, of: row, at: now) }
    }

    private func job(_ row: StepBatch.Row) -> SamplingStage.Job? {
        guard let choice = choices[row.id] else { return nil }
        let vocabularySize = self.vocabularySize(choice.adapters)
        switch row.use {
        case .sample:
            return .init(
                vocabularySize: vocabularySize,
                kind: .sample(
                    choice,
                    output: choice.processor.readsOutput
                        ? scheduler[slot: row.slot].tokens[choice.outputStart...] : []))
        case .promptLogprob(let position):
            return .init(
                vocabularySize: vocabularySize,
                kind: .report(
                    token: scheduler[slot: row.slot].tokens[position],
                    top: choice.request.sampling.promptLogprobs ?? 0))
        }
    }

    private func apply(_ outcome: SamplingStage.Outcome, of row: StepBatch.Row, at now: ContinuousClock.Instant) {
        switch row.use {
        case .promptLogprob: choices[row.id]?.promptLogprobs?.append(outcome.logprobs)
        case .sample: accept(outcome, for: row.id, at: now)
        }
    }

    /// Computes a part of a soft prompt between two steps; returns what went wrong.
    func compute(_ part: PrefixPart) -> String? {
        let count = part.positions.count
        var batch = ForwardBatch(
            tokens: Array(repeating: SequenceKeys.noToken, count: count), positions: part.positions.map(Int32.init),
            sequences: [
                SequenceSlice(
                    tokenStart: 0, tokenCount: Int32(count), contextLength: Int32(part.positions.upperBound),
                    blockTableStart: 0)
            ], blockTables: part.blocks, logitRows: [])
        batch.embedded = [
            EmbeddedRows(
                tokenStart: 0, tokenCount: count, embeddings: part.embeddings, first: part.positions.lowerBound)
        ]
        do {
            try runner.execute(batch, logits: logits.reserve(rows: 1, width: 1))
            return nil
        } catch {
            return "The soft prompt could not be computed: \(error)"
        }
    }

    private func notePreemption(of id: SequenceID) {
        guard let request = choices[id]?.request else { return }
        request.preemptions += 1
        recorder.preempted()
    }

    private func noteScheduled(_ step: ScheduledStep, at now: ContinuousClock.Instant) {
        for id in step.admitted {
            guard let request = choices[id]?.request, request.timeline.scheduled == nil else { continue }
            request.timeline.scheduled = now
            recorder.leftQueue()
            recorder.adaptersStarted(request)
        }
    }

    /// Ends the requests of a step that could not be computed; others go on.
    private func fail(_ step: ScheduledStep, _ error: EngineError) {
        scheduler.abandon(step)
        for entry in step.entries {
            guard let request = choices[entry.id]?.request else { continue }
            end(request, throwing: error)
        }
    }
}

/// Memory for the logits of a step; grows to the largest step seen.
struct LogitsBuffer: ~Copyable {
    private var memory: UnsafeMutablePointer<Float>?
    private var capacity = 0

    mutating func reserve(rows: Int, width: Int) -> UnsafeMutablePointer<Float> {
        let count = max(1, rows * width)
        if let memory, capacity >= count { return memory }
        memory?.deallocate()
        let fresh = UnsafeMutablePointer<Float>.allocate(capacity: count)
        memory = fresh
        capacity = count
        return fresh
    }

    deinit { memory?.deallocate() }
}
