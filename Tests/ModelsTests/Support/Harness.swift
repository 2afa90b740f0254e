import CKernels
import Compute
import Models

/// Feeds sequences to a runner, with blocks handed out in a scrambled order, as a scheduler would.
final class Harness {
    /// A sequence in the cache.
    struct Sequence {
        var tokens: [Int32]
        var computed = 0
        var blocks: [Int32] = []
        var adapters: [AdapterTerm] = []
    }

    let runner: any ModelRunner
    private let blockSize: Int
    private var free: [Int32]

    init(_ runner: any ModelRunner, blocks: Int, blockSize: Int, cache: CacheDType? = nil) throws {
        self.runner = runner
        self.blockSize = blockSize
        try runner.allocateCache(
            blocks: blocks, blockSize: blockSize, dtype: cache ?? runner.shape.defaultCacheDType)
        // Any fixed order will do that is not the order of addresses.
        free = (0..<Int32(blocks)).map { $0 * 7919 % Int32(blocks) }
        if Set(free).count != blocks { free = (0..<Int32(blocks)).reversed() }
    }

    /// Computes `counts[i]` further tokens of `sequences[i]` in one step; returns logits of every computed token.
    func step(_ sequences: inout [Sequence], counts: [Int], lastRowsOnly: Bool = false) throws -> [[[Float]]] {
        var batch = ForwardBatch()
        var rows: [Range<Int>] = counts.map { _ in 0..<0 }
        // Tokens without adapters come first.
        let order =
            sequences.indices.filter { sequences[$0].adapters.isEmpty }
            + sequences.indices.filter { !sequences[$0].adapters.isEmpty }
        for index in order where counts[index] > 0 {
            let first = batch.logitRows.count
            append(&sequences[index], counts[index], to: &batch, lastRowOnly: lastRowsOnly)
            rows[index] = first..<batch.logitRows.count
        }
        let width = batch.logitWidth(runner.shape)
        var logits = [Float](repeating: 0, count: batch.logitRows.count * width)
        try logits.withUnsafeMutableBufferPointer { buffer in
            if let base = buffer.baseAddress { try runner.execute(batch, logits: base) }
        }
        return sequences.indices.map { index in
            let vocabulary = sequences[index].adapters.reduce(runner.shape.vocabularySize) {
                max($0, $1.adapter.vocabularySize)
            }
            return rows[index].map { Array(logits[$0 * width..<$0 * width + vocabulary]) }
        }
    }

    private func append(_ sequence: inout Sequence, _ count: Int, to batch: inout ForwardBatch, lastRowOnly: Bool) {
        let range = sequence.computed..<(sequence.computed + count)
        while sequence.blocks.count * blockSize < range.upperBound { sequence.blocks.append(free.removeLast()) }
        let first = batch.tokens.count
        batch.sequences.append(
            SequenceSlice(
                tokenStart: Int32(first), tokenCount: Int32(count), contextLength: Int32(range.upperBound),
                blockTableStart: Int32(batch.blockTables.count)))
        batch.tokens += sequence.tokens[range]
        batch.positions += range.map(Int32.init)
        batch.blockTables += sequence.blocks
        batch.logitRows += (lastRowOnly ? first + count - 1..<first + count : first..<first + count).map(Int32.init)
        sequence.computed = range.upperBound
        guard !sequence.adapters.isEmpty else { return }
        if let last = batch.adapterRuns.last, last.terms.map(\.identity) == sequence.adapters.map(\.identity) {
            batch.adapterRuns[batch.adapterRuns.count - 1].tokenCount += count
        } else {
            batch.adapterRuns.append(AdapterRun(tokenStart: first, tokenCount: count, terms: sequence.adapters))
        }
    }

    /// Copies the sequence's blocks into others and goes on with those; the first ones stay as they are.
    func move(_ sequence: inout Sequence) {
        let moved = sequence.blocks.map { _ in free.removeLast() }
        runner.copyBlocks(zip(sequence.blocks, moved).map { (from: $0, to: $1) })
        sequence.blocks = moved
    }

    func release(_ sequence: Sequence) { free += sequence.blocks }

    /// Logits of every token of `tokens`, computed in pieces of the given sizes, then in one last piece.
    func logits(
        _ tokens: [Int32], pieces: [Int] = [], adapters: [AdapterTerm] = []
    ) throws -> [[Float]] {
        var sequences = [Sequence(tokens: tokens, adapters: adapters)]
        var result: [[Float]] = []
        for piece in pieces where sequences[0].computed + piece < tokens.count {
            result += try step(&sequences, counts: [piece])[0]
        }
        result += try step(&sequences, counts: [tokens.count - sequences[0].computed])[0]
        release(sequences[0])
        return result
    }

    /// Greedy continuations of `prompts`, `counts[i]` tokens each, all in one batch.
    func greedy(_ prompts: [[Int32]], counts: [Int]) throws -> [[Int32]] {
        var sequences = prompts.map { Sequence(tokens: $0) }
        while true {
            let pending = sequences.indices.map { index in
                let target = prompts[index].count + counts[index]
                return sequences[index].tokens.count < target
                    ? sequences[index].tokens.count - sequences[index].computed : 0
            }
            guard pending.contains(where: { $0 > 0 }) else { break }
            let rows = try step(&sequences, counts: pending, lastRowsOnly: true)
            for index in sequences.indices {
                if let row = rows[index].last { sequences[index].tokens.append(mk_argmax(row, Int32(row.count))) }
            }
        }
        for sequence in sequences { release(sequence) }
        return sequences.indices.map { Array(sequences[$0].tokens[prompts[$0].count...]) }
    }
}

extension AdapterTerm {
    /// Equal for equal adapters with equal weights.
    fileprivate var identity: [Int] { [ObjectIdentifier(adapter).hashValue, Int(scale.bitPattern)] }
}
