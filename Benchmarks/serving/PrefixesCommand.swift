import ArgumentParser
import Engine
import SyntheticModels

/// What stands before prompts: time to first token, many adapters with many requests, and decoding.
struct PrefixesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prefixes", abstract: "Prefix tuning and prompt tuning against the base model.")

    @OptionGroup var model: AdapterModel
    @Option(help: "Virtual tokens of each adapter.") var virtual = 16
    @Option(parsing: .upToNextOption, help: "Lengths of the prompt for the time to first token.")
    var lengths = [32, 512]
    @Option(help: "Prefix adapters.") var adapters = 500
    @Option(help: "Short requests over all prefix adapters.") var requests = 10_000
    @Option(help: "Short requests at a time.") var clients = 128
    @Option(help: "Requests that decode together.") var batch = 32
    @Option(help: "Tokens of each of them.") var outputs = 64

    func run() async throws {
        try await model.withFolder { folder in
            let longest = max(lengths.max() ?? 1, 64) + virtual + max(outputs, 16)
            let sequences = (max(clients, batch) * (64 + virtual + outputs) + 8 * longest)
            let others = (sequences + adapters * (virtual + 16)) * folder.shape.cacheBytesPerToken + (64 << 20)
            let engine = try await folder.engine(maxLength: longest, others: others)
            try await firstToken(engine, folder, longest, others)
            for number in 0..<adapters {
                try await engine.adapters.load("p\(number)", path: try folder.write(.prefix(tokens: virtual), number))
            }
            try await throughput(engine)
            try await decode(engine)
            engine.shutdown()
        }
    }

    // MARK: Time to first token

    private func firstToken(
        _ engine: InferenceEngine, _ folder: ModelFolder, _ longest: Int, _ others: Int
    ) async throws {
        let ahead = try await folder.engine(maxLength: longest, others: others) { $0.precomputesSoftPrompts = true }
        let prefix = try folder.write(.prefix(tokens: virtual), adapters)
        let soft = try folder.write(.softPrompt(tokens: virtual), 0)
        for engine in [engine, ahead] {
            try await engine.adapters.load("prefix", path: prefix)
            try await engine.adapters.load("soft", path: soft)
            _ = try await engine.run(randomTokens(32, seed: 1), outputs: 2)
        }
        let cases: [(name: String, engine: InferenceEngine, adapter: String?)] = [
            ("base", engine, nil), ("prefix", engine, "prefix"), ("soft prompt", engine, "soft"),
            ("soft prompt again", engine, "soft"), ("base of the engine that precomputes", ahead, nil),
            ("soft prompt precomputed", ahead, "soft"),
        ]
        for length in lengths {
            var series = Series()
            for round in 0..<model.repeats {
                await engine.resetPrefixCache()
                for (number, one) in cases.enumerated() {
                    // Always another prompt, so that nothing of it is found.
                    let prompt = randomTokens(length, seed: (length * 100 + round) * 10 + number)
                    let timeline = try await one.engine.run(prompt, outputs: 1) { request in
                        request.adapters = one.adapter.map { [AdapterSelection($0)] } ?? []
                    }
                    series.add(one.name, timeline.timeToFirstToken)
                }
            }
            let base = series.median("base")
            report(
                "prefixes ttft \(length) tokens, \(virtual) virtual",
                cases.map { ($0.name, "\(series.milliseconds($0.name)) (\(short(series.median($0.name) / base)))") })
        }
        for name in ["prefix", "soft"] { try engine.adapters.unload(name) }
        ahead.shutdown()
    }

    // MARK: Many requests

    private func throughput(_ engine: InferenceEngine) async throws {
        let before = try await bytesOfPrefixes(engine)
        let sum = engine.adapters.all.reduce(0) { $0 + $1.byteCount }
        let base = try await rate(engine, count: max(clients, requests / 10)) { _ in nil }
        let adapted = try await rate(engine, count: requests) { "p\($0 % adapters)" }
        let after = try await bytesOfPrefixes(engine)
        let loads = engine.statistics().adapters.byName.values.reduce(0) { $0 + $1.loads }
        report(
            "prefixes \(requests) requests over \(adapters) adapters",
            [
                ("base", short(base) + " requests/s"), ("prefixes", short(adapted) + " requests/s"),
                ("share", short(adapted / base)), ("bytes of prefixes before", "\(before)"), ("after", "\(after)"),
                ("sum of the adapters", "\(sum)"), ("loads", "\(loads)"),
            ])
    }

    /// Bytes of all blocks that hold something while no request runs and nothing is kept for reuse.
    private func bytesOfPrefixes(_ engine: InferenceEngine) async throws -> Int {
        await engine.resetPrefixCache()
        if let problem = await engine.audit() { throw ValidationError("The engine's books: \(problem)") }
        let statistics = engine.statistics()
        return statistics.cacheBytes + statistics.adapterBytes
    }

    private func rate(
        _ engine: InferenceEngine, count: Int, _ adapter: @escaping @Sendable (Int) -> String?
    ) async throws -> Double {
        let start = ContinuousClock.now
        _ = try await engine.runAll(count, clients: clients) { index in
            try await engine.run(randomTokens(16, seed: 50_000 + index), outputs: 8) { request in
                request.adapters = adapter(index).map { [AdapterSelection($0)] } ?? []
            }
        }
        return Double(count) / start.duration(to: .now).inSeconds
    }

    // MARK: Decoding

    private func decode(_ engine: InferenceEngine) async throws {
        let shares = [("none", 0), ("half", 2), ("all", 1)]
        var series = Series()
        for round in 0...model.repeats {
            for (name, every) in shares {
                await engine.resetPrefixCache()
                let timelines = try await engine.runAll(batch, clients: batch) { index in
                    let hasPrefix = every > 0 && index.isMultiple(of: every)
                    // The same positions with and without a prefix.
                    let prompt = randomTokens(hasPrefix ? 32 : 32 + virtual, seed: round * 1000 + index)
                    return try await engine.run(prompt, outputs: outputs) { request in
                        if hasPrefix { request.adapters = [AdapterSelection("p\(index % adapters)")] }
                    }
                }
                if round > 0 { series.add(name, timelines.decodeRate) }
            }
        }
        report(
            "prefixes decode batch \(batch)",
            shares.map { name, _ in
                let rate = series.median(name)
                return (name, "\(short(rate)) tokens/s (\(short(rate / series.median("none"))))")
            })
    }
}
