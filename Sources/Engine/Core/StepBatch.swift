internal import KVCache
import Models
import Sampling
import Scheduling

/// One scheduled step in the runner's terms, and what to do with each row of logits that comes back.
struct StepBatch {
    /// Use of one row of logits.
    struct Row {
        enum Use {
            /// Choose the sequence's next token.
            case sample
            /// Report how probable the prompt's token at this position was.
            case promptLogprob(position: Int)
        }

        let id: SequenceID
        let slot: Int
        let use: Use
    }

    /// Tokens of one entry that are computed with the same weights.
    private struct Slice {
        let entry: ScheduledStep.Entry
        let range: Range<Int>
        /// Nil for the base model.
        let adapters: RequestAdapters?
    }

    private(set) var forward = ForwardBatch()
    private(set) var rows: [Row] = []

    /// Lays the entries out one after another: those of the base model first, then those with the same adapters side
    /// by side. An entry in which an adapter switches on is cut there. O(tokens + blocks).
    init(_ step: ScheduledStep, scheduler: Scheduler, choices: [SequenceID: Choice]) {
        reserve(step)
        var adapted: [Slice] = []
        for entry in step.entries {
            guard let choice = choices[entry.id] else { continue }
            let range = entry.start..<(entry.start + entry.count)
            let adapters = choice.adapters.flatMap { $0.terms.isEmpty ? nil : $0 }
            let start = adapters.map { min(max($0.start, range.lowerBound), range.upperBound) }
            let base = range.lowerBound..<(start ?? range.upperBound)
            if !base.isEmpty {
                append(Slice(entry: entry, range: base, adapters: nil), scheduler[slot: entry.slot], choice)
            }
            if let start, start < range.upperBound {
                adapted.append(Slice(entry: entry, range: start..<range.upperBound, adapters: adapters))
            }
        }
        guard !adapted.isEmpty else { return }
        adapted.sort { ($0.adapters?.state ?? 0, $0.entry.id) < ($1.adapters?.state ?? 0, $1.entry.id) }
        for slice in adapted {
            guard let choice = choices[slice.entry.id] else { continue }
            append(slice, scheduler[slot: slice.entry.slot], choice)
        }
    }

    /// What the step needs as a rule, so that arrays are made once.
    private mutating func reserve(_ step: ScheduledStep) {
        forward.tokens.reserveCapacity(step.tokenCount)
        forward.positions.reserveCapacity(step.tokenCount)
        forward.sequences.reserveCapacity(step.entries.count)
        forward.logitRows.reserveCapacity(step.entries.count)
        rows.reserveCapacity(step.entries.count)
        forward.blockTables.reserveCapacity(
            step.entries.reduce(0) { $0 + ($1.start + $1.count + Self.leastBlock - 1) / Self.leastBlock })
    }

    /// Positions of a block, for a first guess of how many blocks there are.
    private static let leastBlock = 16

    private mutating func append(_ slice: Slice, _ state: SequenceState, _ choice: Choice) {
        let first = forward.tokens.count
        let range = slice.range
        forward.sequences.append(
            SequenceSlice(
                tokenStart: Int32(first), tokenCount: Int32(range.count), contextLength: Int32(range.upperBound),
                blockTableStart: Int32(forward.blockTables.count)))
        forward.tokens.append(contentsOf: state.tokens[range])
        forward.positions.append(contentsOf: range.lazy.map(Int32.init))
        let used = (range.upperBound + state.blocks.table.blockSize - 1) / state.blocks.table.blockSize
        forward.blockTables.append(contentsOf: state.blocks.table.blocks.prefix(used))
        for input in choice.embedded where input.positions.overlaps(range) {
            let part = input.positions.clamped(to: range)
            forward.embedded.append(
                EmbeddedRows(
                    tokenStart: first + part.lowerBound - range.lowerBound, tokenCount: part.count,
                    embeddings: input.embeddings, first: part.lowerBound - input.positions.lowerBound))
        }
        if let adapters = slice.adapters { extendRuns(adapters, from: first, count: range.count) }
        for position in promptPositions(in: range, choice) {
            appendRow(first + position - range.lowerBound, slice.entry, .promptLogprob(position: position + 1))
        }
        let end = slice.entry.start + slice.entry.count
        if slice.entry.reachesEnd, range.upperBound == end { appendRow(first + range.count - 1, slice.entry, .sample) }
    }

    private var lastState: UInt64?

    private mutating func extendRuns(_ adapters: RequestAdapters, from first: Int, count: Int) {
        if lastState == adapters.state, !forward.adapterRuns.isEmpty {
            forward.adapterRuns[forward.adapterRuns.count - 1].tokenCount += count
        } else {
            forward.adapterRuns.append(AdapterRun(tokenStart: first, tokenCount: count, terms: adapters.terms))
            lastState = adapters.state
        }
    }

    /// Positions whose logits say how probable the next token of the prompt was, as far as that is still to be reported.
    private func promptPositions(in range: Range<Int>, _ choice: Choice) -> Range<Int> {
        guard let reported = choice.promptLogprobs else { return 0..<0 }
        let lower = max(range.lowerBound, choice.virtualCount + reported.count - 1)
        return lower..<max(lower, min(range.upperBound, choice.outputStart - 1))
    }

    private mutating func appendRow(_ token: Int, _ entry: ScheduledStep.Entry, _ use: Row.Use) {
        forward.logitRows.append(Int32(token))
        rows.append(Row(id: entry.id, slot: entry.slot, use: use))
    }
}
