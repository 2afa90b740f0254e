import ArgumentParser
import Engine
import Foundation

/// Decoding beside a process that never sleeps: what is left of the quiet throughput.
struct ContentionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "contention",
        abstract: "Decoding in quiet, and beside a busy process that floats or stays on one core.")

    /// Where the busy process may run.
    private enum Neighbour: String, CaseIterable {
        case none, floating, pinned
    }

    @OptionGroup var model: ModelChoice
    @Option(parsing: .upToNextOption, help: "Requests that decode together.") var batch = [1, 8]
    @Option(help: "Tokens of each request.") var outputs = 64
    @Option(help: "Threads for the arithmetic; the default is one for each core.") var threads: Int?

    func run() async throws {
        try await model.withModel { load in
            var configuration = EngineConfiguration()
            configuration.maxModelLength = 256 + outputs
            configuration.enablesPrefixCaching = false
            configuration.threads = threads
            let engine = try await load(configuration)
            for size in batch { try await measure(engine, size) }
            engine.shutdown()
        }
    }

    private func measure(_ engine: InferenceEngine, _ size: Int) async throws {
        var series = Series()
        for round in 0...model.repeats {
            // Interleaved, so that a change of the machine's speed meets all alike.
            for neighbour in Neighbour.allCases {
                let busy = try start(neighbour)
                defer { if let busy { kill(busy.processIdentifier, SIGKILL) } }
                let timelines = try await engine.runAll(size, clients: size) { index in
                    try await engine.run(randomTokens(32, seed: round * 100 + index), outputs: outputs)
                }
                if round > 0 { series.add(neighbour.rawValue, timelines.decodeRate) }
            }
        }
        let quiet = series.median(Neighbour.none.rawValue)
        report(
            "contention batch \(size)",
            Neighbour.allCases.map {
                let rate = series.median($0.rawValue)
                return ($0.rawValue, "\(short(rate)) tokens/s (\(short(rate / quiet)))")
            })
    }

    private func start(_ neighbour: Neighbour) throws -> Process? {
        // The limit ends it should nobody else do.
        let loop = "ulimit -t 60; while :; do :; done"
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        switch neighbour {
        case .none: return nil
        case .floating: process.arguments = ["-c", loop]
        case .pinned: process.arguments = ["-c", "taskset -p 1 $$ >/dev/null; \(loop)"]
        }
        try process.run()
        return process
    }
}
