import ArgumentParser
import Engine

/// Time to the first token of a request whose prompt is known but for its last token, against a cold one.
struct FirstTokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ttft", abstract: "A shared system prompt: time to first token, warm against cold.")

    @OptionGroup var model: ModelChoice
    @Option(parsing: .upToNextOption, help: "Lengths of the shared prompt.") var lengths: [Int] = [1000, 2000]

    func run() async throws {
        try await model.withModel { load in
            var configuration = EngineConfiguration()
            configuration.maxModelLength = min(2048, (lengths.max() ?? 1) + 64)
            configuration.cacheMemory = 1 << 30
            let engine = try await load(configuration)
            _ = try await engine.run(randomTokens(64, seed: 999), outputs: 8)
            for length in lengths { try await measure(engine, length) }
            engine.shutdown()
        }
    }

    private func measure(_ engine: InferenceEngine, _ length: Int) async throws {
        var cold: [Double] = []
        var warm: [Double] = []
        var single: [Double] = []
        for round in 0..<model.repeats {
            let prompt = randomTokens(length, seed: length * 100 + round)
            cold.append(try await engine.run(prompt, outputs: 1).timeToFirstToken)
            for _ in 0..<5 { warm.append(try await engine.run(prompt, outputs: 1).timeToFirstToken) }
            // The least that any engine must do: compute one token behind a cache of this length.
            let decode = try await engine.run(prompt, outputs: 9)
            single += decode.gaps.map(\.seconds)
        }
        let ratio = cold.median / warm.median
        let limit = cold.median / single.median
        report(
            "ttft \(length) tokens",
            [
                ("cold", short(cold.median * 1000) + " ms"), ("warm", short(warm.median * 1000) + " ms"),
                ("one token", short(single.median * 1000) + " ms"), ("ratio", short(ratio)), ("limit", short(limit)),
                ("share", short(ratio / limit)),
            ])
    }
}
