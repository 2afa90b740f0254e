import ArgumentParser
import Engine

/// What a long prompt does to those who are generating: time between their tokens while it is computed, in one piece
/// against in chunks beside them.
struct InterferenceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "interference",
        abstract: "Inter-token latency of running requests while a long prompt is computed, with and without chunks.")

    @OptionGroup var model: ModelChoice
    @Option(help: "Length of the long prompt.") var length = 8192
    @Option(help: "Requests that generate meanwhile.") var running = 8
    @Option(parsing: .upToNextOption, help: "Chunk sizes; 0 is the whole prompt at once.") var chunks = [
        0, 512, 256, 64,
    ]

    func run() async throws {
        try await model.withModel { load in
            for chunk in chunks { try await measure(chunk, load) }
        }
    }

    private func measure(_ chunk: Int, _ load: (EngineConfiguration) async throws -> InferenceEngine) async throws {
        var configuration = EngineConfiguration()
        configuration.maxModelLength = length + 64
        configuration.cacheMemory = 2 << 30
        configuration.maxBatchedTokens = chunk == 0 ? length + 1024 : 2048
        configuration.longPrefillTokenThreshold = chunk
        configuration.maxMixedPrefillTokens = chunk
        let engine = try await load(configuration)
        var quiet: [Double] = []
        var during: [Double] = []
        var first = 0.0
        try await withThrowingTaskGroup(of: Timeline.self) { group in
            for index in 0..<running {
                group.addTask { try await engine.run(randomTokens(64, seed: index), outputs: length - 1000) { _ in } }
            }
            try await Task.sleep(for: .seconds(3))
            let start = ContinuousClock.now
            let long = try await engine.run(randomTokens(length, seed: 77), outputs: 1)
            let end = ContinuousClock.now
            first = long.timeToFirstToken
            // The generating requests have done their part.
            for id in ["benchmark"] { engine.abort(id) }
            for try await timeline in group {
                quiet += timeline.gaps.filter { $0.at < start - .milliseconds(50) }.map(\.seconds)
                during += timeline.gaps.filter { $0.at >= start - .milliseconds(50) && $0.at < end }.map(\.seconds)
            }
        }
        report(
            "interference chunk \(chunk)",
            [
                ("quiet p50", short(quiet.median * 1000) + " ms"),
                ("quiet p99", short(quiet.quantile(0.99) * 1000) + " ms"),
                ("during p50", short(during.median * 1000) + " ms"),
                ("during p99", short(during.quantile(0.99) * 1000) + " ms"),
                ("during max", short((during.max() ?? 0) * 1000) + " ms"), ("prompt", short(first) + " s"),
            ])
        engine.shutdown()
    }
}
