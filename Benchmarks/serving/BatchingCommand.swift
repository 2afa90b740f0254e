import ArgumentParser
import Engine
import SyntheticModels

/// Requests of very different lengths: batches that wait for their longest member, against batches that a waiting
/// request joins as soon as another ends.
struct BatchingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "batching", abstract: "Continuous against static batching, heterogeneous lengths.")

    @OptionGroup var model: ModelChoice
    @Option(help: "Requests.") var requests = 256
    @Option(help: "Sequences at a time.") var batch = 16
    @Option(help: "Tokens of the longest output: a power of two.") var longest = 1024

    func run() async throws {
        try await model.withModel { load in
            var configuration = EngineConfiguration()
            configuration.maxModelLength = 2048
            configuration.maxSequences = batch
            configuration.enablesPrefixCaching = false
            configuration.maxQueuedRequests = requests * 2
            let engine = try await load(configuration)
            let work = Self.work(requests, longest: longest)
            let tokens = Double(work.reduce(0) { $0 + $1.outputs })
            var ratios: [Double] = []
            var rates: (continuous: [Double], still: [Double]) = ([], [])
            for _ in 0..<model.repeats {
                rates.still.append(tokens / (try await statically(work, engine)))
                rates.continuous.append(tokens / (try await together(work, engine)))
                ratios.append((rates.continuous.last ?? 0) / (rates.still.last ?? 1))
            }
            report(
                "batching \(model.shape.rawValue) \(engine.model.dtype)",
                [
                    ("continuous", short(rates.continuous.median) + " tokens/s"),
                    ("static", short(rates.still.median) + " tokens/s"), ("ratio", short(ratios.median)),
                ])
            engine.shutdown()
        }
    }

    private struct Work: Sendable {
        let prompt: [Int32]
        let outputs: Int
    }

    /// Prompts of 8 to 128 tokens; outputs spread evenly over the exponents from 4 to the longest, as chats have them.
    private static func work(_ count: Int, longest: Int) -> [Work] {
        var random = SplitMix64(state: 11)
        return (0..<count).map { index in
            let exponent = Double.random(in: 2...Double(longest.trailingZeroBitCount), using: &random)
            var outputs = 1.0
            for _ in 0..<Int(exponent) { outputs *= 2 }
            outputs *= 1 + exponent - exponent.rounded(.down)
            return Work(
                prompt: randomTokens(.random(in: 8...128, using: &random), seed: index), outputs: max(1, Int(outputs)))
        }
    }

    private func together(_ work: [Work], _ engine: InferenceEngine) async throws -> Double {
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for item in work { group.addTask { _ = try await engine.run(item.prompt, outputs: item.outputs) } }
            try await group.waitForAll()
        }
        return start.duration(to: .now).inSeconds
    }

    private func statically(_ work: [Work], _ engine: InferenceEngine) async throws -> Double {
        var seconds = 0.0
        for start in stride(from: 0, to: work.count, by: batch) {
            seconds += try await together(Array(work[start..<min(start + batch, work.count)]), engine)
        }
        return seconds
    }
}
