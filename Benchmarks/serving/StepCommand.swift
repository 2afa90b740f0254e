import ArgumentParser
import Engine
import SyntheticModels

/// What the engine does in a step beside computing: scheduling, laying out the batch, sampling's bookkeeping, text, and
/// handing out tokens.
struct StepCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "step", abstract: "The whole engine's step outside of the kernels, microseconds.")

    @Option(parsing: .upToNextOption, help: "Requests that decode together.") var batch = [1, 8, 64, 256]
    @Option(help: "Tokens of each request.") var outputs = 512
    @Option(help: "Runs of each measurement; medians are reported.") var repeats = 5

    func run() async throws {
        var configuration = EngineConfiguration()
        configuration.maxModelLength = 128 + outputs
        configuration.maxSequences = batch.max() ?? 1
        configuration.enablesPrefixCaching = false
        configuration.cacheMemory = 4 << 30
        let engine = try await InferenceEngine.load(configuration)
        for size in batch {
            var series = Series()
            for round in 0...repeats {
                let before = engine.statistics()
                _ = try await engine.runAll(size, clients: size) { index in
                    try await engine.run(randomTokens(16, seed: round * 1000 + index), outputs: outputs)
                }
                let after = engine.statistics()
                guard round > 0 else { continue }
                let steps = Double(after.iterationTokens.count - before.iterationTokens.count)
                let all = (after.stepSeconds - before.stepSeconds) / steps
                let kernels = (after.kernelSeconds - before.kernelSeconds) / steps
                series.add("outside", (all - kernels) * 1e6)
                series.add("kernels", kernels * 1e6)
            }
            report(
                "step batch \(size)",
                ["outside", "kernels"].map { ($0, short(series.median($0)) + " µs") })
        }
        engine.shutdown()
    }
}
