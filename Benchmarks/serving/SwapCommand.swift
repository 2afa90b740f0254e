import ArgumentParser
import Engine
import SyntheticModels

/// Time to the first token of a short request, by where its adapter is when it comes.
struct SwapCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "swap",
        abstract: "Time to first token: base, adapter in memory, adapter read for the first time, adapter read again.")

    @OptionGroup var model: AdapterModel
    @Option var rank = 16
    @Option(help: "Tokens of the prompt.") var promptTokens = 32
    @Option(help: "Adapters that memory holds.") var resident = 4

    func run() async throws {
        try await model.withFolder { folder in
            let bytes = folder.adapter(.lora(rank: rank), 0).byteCount
            let engine = try await folder.engine(maxLength: 1024, others: resident * (bytes + bytes / 16)) {
                $0.enablesPrefixCaching = false
            }
            // More than fit, so that some are always given up.
            for number in 0...resident {
                let path = try folder.write(.lora(rank: rank), number)
                try await engine.adapters.load("a\(number)", path: path)
            }
            print("one adapter: \(engine.adapters["a0"]?.byteCount ?? 0) bytes")
            var series = Series()
            for round in 0...model.repeats {
                let times = try await measure(engine, folder, round)
                if round > 0 { for (name, seconds) in times { series.add(name, seconds) } }
            }
            report(
                "swap \(model.shape.rawValue) rank \(rank)",
                ["base", "in memory", "first", "read", "again"].map { ($0, series.milliseconds($0)) })
            engine.shutdown()
        }
    }

    private func measure(
        _ engine: InferenceEngine, _ folder: ModelFolder, _ round: Int
    ) async throws -> [(name: String, seconds: Double)] {
        let prompt = randomTokens(promptTokens, seed: round)
        let all = engine.adapters.all
        let newest = all.filter(\.isResident).max { $0.created < $1.created }?.name ?? "a0"
        let gone = all.first { !$0.isResident }?.name ?? "a0"
        let path = try folder.write(.lora(rank: rank), resident + 1 + round)
        let base = try await engine.run(prompt, outputs: 1).timeToFirstToken
        let inMemory = try await timed(engine, prompt, newest)
        let again = try await timed(engine, prompt, gone)
        let name = "new\(round)"
        let first = try await timed(engine, prompt, name) { try await engine.adapters.load(name, path: path) }
        let read = engine.adapters[name]?.loadSeconds ?? 0
        return [("base", base), ("in memory", inMemory), ("again", again), ("first", first), ("read", read)]
    }

    private func timed(
        _ engine: InferenceEngine, _ prompt: [Int32], _ name: String,
        before: () async throws -> AdapterInformation? = { nil }
    ) async throws -> Double {
        let start = ContinuousClock.now
        _ = try await before()
        let lease = try await engine.adapters.prepare([name])
        defer { withExtendedLifetime(lease) {} }
        let timeline = try await engine.run(prompt, outputs: 1) { $0.adapters = [AdapterSelection(name)] }
        return start.duration(to: timeline.start).inSeconds + timeline.timeToFirstToken
    }
}
