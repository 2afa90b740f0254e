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

    private(set) var forward = ForwardBatch()
    private(set) var rows: [Row] = []

    /// Lays the entries out one after another. O(tokens + blocks).
    init(_ step: ScheduledStep, scheduler: Scheduler, choices: [SequenceID: Choice]) {
        for entry in step.entries {
            guard let choice = choices[entry.id] else { continue }
            append(entry, scheduler[slot: entry.slot], choice)
        }
    }

    private mutating func append(_ entry: ScheduledStep.Entry, _ state: SequenceState, _ choice: Choice) {
        let first = forward.tokens.count
        let range = entry.start..<(entry.start + entry.count)
        forward.sequences.append(
            SequenceSlice(
                tokenStart: Int32(first), tokenCount: Int32(entry.count), contextLength: Int32(range.upperBound),
                blockTableStart: Int32(forward.blockTables.count)))
        forward.tokens.append(contentsOf: state.tokens[range])
        forward.positions.append(contentsOf: range.lazy.map(Int32.init))
        let used = (range.upperBound + state.blocks.table.blockSize - 1) / state.blocks.table.blockSize
        forward.blockTables.append(contentsOf: state.blocks.table.blocks.prefix(used))
        for position in promptPositions(in: range, choice) {
            appendRow(first + position - range.lowerBound, entry, .promptLogprob(position: position + 1))
        }
        if entry.reachesEnd { appendRow(first + entry.count - 1, entry, .sample) }
    }

    /// Positions whose logits say how probable the next token of the prompt was, as far as that is still to be reported.
    private func promptPositions(in range: Range<Int>, _ choice: Choice) -> Range<Int> {
        guard let reported = choice.promptLogprobs else { return 0..<0 }
        let lower = max(range.lowerBound, reported.count - 1)
        return lower..<max(lower, min(range.upperBound, choice.promptCount - 1))
    }

    private mutating func appendRow(_ token: Int, _ entry: ScheduledStep.Entry, _ use: Row.Use) {
        forward.logitRows.append(Int32(token))
        rows.append(Row(id: entry.id, slot: entry.slot, use: use))
    }
}
