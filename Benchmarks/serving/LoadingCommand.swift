import ArgumentParser
import Engine
import Synchronization
import SyntheticModels

/// What loading adapters does to those who are generating: time between their tokens.
struct LoadingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "loading",
        abstract: "Inter-token latency of running requests while adapters are loaded one after another.")

    @OptionGroup var model: AdapterModel
    @Option var rank = 16
    @Option(help: "Requests that generate meanwhile.") var running = 4
    @Option(help: "Adapters to load.") var adapters = 100
    @Option(help: "Adapters that memory holds beside the requests at their longest.") var resident = 16
    @Option(help: "Seconds without loading, before.") var quiet = 10.0

    /// Tokens of one request; the next one begins where it ends.
    private static let outputs = 960

    func run() async throws {
        try await model.withFolder { folder in
            let kind = RandomAdapter.Kind.lora(rank: rank)
            let paths = try (0..<adapters).map { try folder.write(kind, $0) }
            let bytes = folder.adapter(kind, 0).byteCount
            let sequences = running * 1024 * folder.shape.cacheBytesPerToken
            let engine = try await folder.engine(maxLength: 1024, others: resident * (bytes + bytes / 16) + sequences)
            var series = Series()
            for round in 0..<model.repeats {
                for one in engine.adapters.all { try engine.adapters.unload(one.name) }
                let phases = try await measure(engine, paths, round)
                for (name, gaps) in [("quiet", phases.quiet), ("loading", phases.loading)] {
                    series.add(name + " p50", gaps.median)
                    series.add(name + " p99", gaps.quantile(0.99))
                    series.add(name + " max", gaps.max() ?? 0)
                }
                series.add("seconds", phases.seconds)
            }
            let evictions = engine.statistics().adapters.byName.values.reduce(0) { $0 + $1.evictions }
            report(
                "loading \(adapters) adapters of \(bytes) bytes beside \(running) requests",
                ["quiet p50", "quiet p99", "quiet max", "loading p50", "loading p99", "loading max"]
                    .map { ($0, series.milliseconds($0)) } + [
                        ("all loaded in", short(series.median("seconds")) + " s"), ("evictions", "\(evictions)"),
                    ])
            engine.shutdown()
        }
    }

    private struct Phases {
        var quiet: [Double] = []
        var loading: [Double] = []
        var seconds = 0.0
    }

    private func measure(_ engine: InferenceEngine, _ paths: [String], _ round: Int) async throws -> Phases {
        let end = Flag()
        return try await withThrowingTaskGroup(of: [Timeline].self) { group in
            for index in 0..<running {
                group.addTask {
                    var timelines: [Timeline] = []
                    while !end.isSet, !Task.isCancelled {
                        let prompt = randomTokens(32, seed: round * 1000 + index)
                        timelines.append(try await engine.run(prompt, outputs: Self.outputs))
                    }
                    return timelines
                }
            }
            // Until all generate.
            try await Task.sleep(for: .seconds(2))
            let start = ContinuousClock.now
            try await Task.sleep(for: .seconds(quiet))
            let middle = ContinuousClock.now
            for (number, path) in paths.enumerated() { try await engine.adapters.load("a\(number)", path: path) }
            let last = ContinuousClock.now
            end.set()
            engine.abort("benchmark")
            var phases = Phases(seconds: middle.duration(to: last).inSeconds)
            for try await timelines in group {
                for gap in timelines.flatMap(\.gaps) where gap.at >= start && gap.at < last {
                    if gap.at < middle { phases.quiet.append(gap.seconds) } else { phases.loading.append(gap.seconds) }
                }
            }
            return phases
        }
    }
}

/// Tells tasks that what they do is no longer needed.
private final class Flag: Sendable {
    private let value = Mutex(false)

    var isSet: Bool { value.withLock { $0 } }
    func set() { value.withLock { $0 = true } }
}
