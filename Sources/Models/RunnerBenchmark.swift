/// Speed of a runner without an engine around it: prefill of one long prompt, decoding of some sequences side by side.
package struct RunnerBenchmark: Sendable {
    /// Tokens of each prompt.
    package var promptLength = 512
    /// Most tokens of a step in prefill.
    package var chunk = 512
    /// Steps of decoding.
    package var steps = 64
    /// Sequences that decode together.
    package var sequences = 1

    package struct Result: Sendable {
        /// Prompt tokens per second.
        package var prefill: Double
        /// New tokens per second over all sequences.
        package var decode: Double
        /// Median time of a decoding step in seconds.
        package var step: Double
    }

    package init() {}

    /// Measures `runner`, whose KV cache is replaced. Token ids are pseudo-random: their values do not matter for speed.
    package func run(_ runner: any ModelRunner) throws -> Result {
        let blockSize = 16
        let blocks = (promptLength + steps + blockSize - 1) / blockSize
        try runner.allocateCache(blocks: blocks * sequences, blockSize: blockSize)
        var logits = [Float](repeating: 0, count: sequences * runner.shape.vocabularySize)
        let clock = ContinuousClock()

        func step(_ members: Range<Int>, from: Int, count: Int) throws -> Double {
            var batch = ForwardBatch()
            for index in members {
                batch.sequences.append(
                    SequenceSlice(
                        tokenStart: Int32(batch.tokens.count), tokenCount: Int32(count),
                        contextLength: Int32(from + count), blockTableStart: Int32(batch.blockTables.count)))
                batch.positions += (from..<from + count).map(Int32.init)
                batch.tokens += (from..<from + count).map {
                    Int32(($0 * 7919 + index * 104_729) % runner.shape.vocabularySize)
                }
                batch.blockTables += (index * blocks..<(index + 1) * blocks).map(Int32.init)
                batch.logitRows.append(Int32(batch.tokens.count - 1))
            }
            let time = try clock.measure {
                try logits.withUnsafeMutableBufferPointer {
                    if let base = $0.baseAddress { try runner.execute(batch, logits: base) }
                }
            }
            return Double(time.components.seconds) + Double(time.components.attoseconds) * 1e-18
        }

        _ = try step(0..<1, from: 0, count: min(promptLength, 16))
        var prefill = 0.0
        for index in 0..<sequences {
            for from in stride(from: 0, to: promptLength, by: chunk) {
                prefill += try step(index..<index + 1, from: from, count: min(chunk, promptLength - from))
            }
        }
        var times: [Double] = []
        for index in 0..<steps { times.append(try step(0..<sequences, from: promptLength + index, count: 1)) }
        let median = times.sorted()[steps / 2]
        return Result(
            prefill: Double(promptLength * sequences) / prefill, decode: Double(sequences) / median, step: median)
    }
}
