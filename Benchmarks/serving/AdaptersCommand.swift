import ArgumentParser
import Engine
import Foundation
import SyntheticModels

/// Decoding and prefill with LoRA adapters on all linear layers, against the base model in the same run.
struct AdaptersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adapters", abstract: "Adapters in one batch, against the base model.")

    @Option(help: "Shape of the random model: 135m or 1b.") var shape = "1b"
    @Option var rank = 16
    @Option(help: "Requests that decode together.") var batch = 32
    @Option(parsing: .upToNextOption, help: "Distinct adapters.") var counts = [1, 8, 32]
    @Option var outputs = 24
    @Option(help: "Length of the prompt for prefill.") var promptTokens = 512
    @Option var repeats = 3

    func run() async throws {
        let shape = shape == "1b" ? RandomModel.Shape.oneBillion : .smol
        let folder = try RandomModel(shape: shape).write()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var configuration = EngineConfiguration(model: folder)
        configuration.maxModelLength = max(promptTokens + 8, 256)
        configuration.enablesPrefixCaching = false
        configuration.cacheMemory = 4 << 30
        let engine = try await InferenceEngine.load(configuration)
        for number in 0..<(counts.max() ?? 1) {
            let path = try RandomAdapter(shape: shape, rank: rank, number: number).write(in: folder)
            try await engine.adapters.load("a\(number)", path: path)
        }
        let bytes = engine.adapters["a0"]?.byteCount ?? 0
        print("one adapter: \(bytes) bytes")
        try await decode(engine)
        try await prefill(engine)
        engine.shutdown()
    }

    private func decode(_ engine: InferenceEngine) async throws {
        // Interleaved, so that a change of the machine's speed meets all alike.
        var rates: [Int: [Double]] = [:]
        for round in 0...repeats {
            for count in [0] + counts {
                let rate = try await decodeRate(engine, adapters: count)
                if round > 0 { rates[count, default: []].append(rate) }
            }
        }
        let base = (rates[0] ?? []).median
        for count in counts {
            let rate = (rates[count] ?? []).median
            report(
                "decode batch \(batch), \(count) adapters",
                [
                    ("base", short(base) + " tokens/s"), ("adapters", short(rate) + " tokens/s"),
                    ("share", short(rate / base)),
                ])
        }
    }

    private func decodeRate(_ engine: InferenceEngine, adapters count: Int) async throws -> Double {
        let timelines = try await withThrowingTaskGroup(of: Timeline.self) { group in
            for index in 0..<batch {
                group.addTask {
                    try await engine.run(randomTokens(32, seed: index), outputs: outputs) {
                        if count > 0 { $0.adapters = [AdapterSelection("a\(index % count)")] }
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        return timelines.decodeRate
    }

    private func prefill(_ engine: InferenceEngine) async throws {
        var base: [Double] = []
        var adapted: [Double] = []
        for round in 0...repeats {
            let prompt = randomTokens(promptTokens, seed: 1000 + round)
            let plain = try await engine.run(prompt, outputs: 1).timeToFirstToken
            let changed = try await engine.run(prompt, outputs: 1) { $0.adapters = [AdapterSelection("a0")] }
            guard round > 0 else { continue }
            base.append(Double(promptTokens) / plain)
            adapted.append(Double(promptTokens) / changed.timeToFirstToken)
        }
        report(
            "prefill \(promptTokens) tokens, 1 adapter",
            [
                ("base", short(base.median) + " tokens/s"), ("adapter", short(adapted.median) + " tokens/s"),
                ("share", short(adapted.median / base.median)),
            ])
    }
}
