import ArgumentParser
import Sampling
import SyntheticModels

/// The choice of a token from one row of a large vocabulary, as the engine makes it, on one core.
struct SamplingCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sampling", abstract: "The choice of a token from one row of logits, microseconds.")

    @Option(help: "Tokens of the vocabulary.") var vocabulary = 128_256
    @Option(help: "Rows for each number.") var rows = 400
    @Option(help: "Tokens of the prompt, for penalties.") var promptTokens = 2000

    func run() {
        for (name, change) in Self.cases { measure(name, change) }
    }

    private typealias Change = @Sendable (inout SamplingParameters) -> Void

    private static let cases: [(String, Change)] = [
        ("greedy", { $0.temperature = 0 }),
        ("temperature", { $0.temperature = 0.8 }),
        ("top-k 50", { $0.topK = 50 }),
        ("top-p 0.95", { $0.topP = 0.95 }),
        (
            "top-k 50, top-p 0.95",
            {
                $0.topK = 50
                $0.topP = 0.95
            }
        ),
        ("min-p 0.05", { $0.minP = 0.05 }),
        (
            "penalties, top-k 50",
            {
                $0.topK = 50
                $0.repetitionPenalty = 1.1
                $0.frequencyPenalty = 0.5
            }
        ),
        (
            "300 biases, top-k 50",
            { parameters in
                parameters.topK = 50
                for token in 0..<Int32(300) { parameters.logitBias[token * 97] = 1 }
            }
        ),
    ]

    private func measure(_ name: String, _ change: Change) {
        var parameters = SamplingParameters()
        parameters.temperature = 0.8
        change(&parameters)
        let prompt = randomTokens(promptTokens, seed: 1)
        var processor = LogitsProcessor(
            parameters, vocabularySize: vocabulary, prompt: prompt, badWords: [], endTokens: [])
        for token in prompt.prefix(200) { processor.record(token) }
        let sampler = TokenSampler(parameters, seed: 7)
        var scratch = SamplingScratch()
        var values: [String: [Double]] = [:]
        var sum: Int32 = 0
        for (kind, original) in [("peaked", logits(spread: 2.5, peak: 15)), ("flat", logits(spread: 0.3, peak: 0))] {
            var row = original
            for position in 0..<rows {
                row.withUnsafeMutableBufferPointer { row in
                    _ = row.update(fromContentsOf: original)
                    let start = ContinuousClock.now
                    if !processor.isIdentity { processor.apply(to: row, output: [], count: 200) }
                    sum &+= sampler.sample(row, position: position, scratch: &scratch) ?? 0
                    values[kind, default: []].append(start.duration(to: .now).inSeconds * 1e6)
                }
            }
        }
        report(
            "sampling \(vocabulary) tokens, \(name)",
            ["peaked", "flat"].map { ($0, short((values[$0] ?? []).median) + " µs") })
        // Keeps the results, so that none is left out.
        if sum == .min { print(sum) }
    }

    /// About normal numbers, one in ten thousand raised.
    private func logits(spread: Float, peak: Float) -> [Float] {
        var random = SplitMix64(state: 3)
        return (0..<vocabulary).map { index in
            let sum = (0..<12).reduce(Float(-6)) { total, _ in total + .random(in: 0..<1, using: &random) }
            return spread * sum + (index % 9973 == 17 ? peak : 0)
        }
    }
}
