import Engine
import Sampling
import SyntheticModels

/// The measurements of `martlet bench overview` on a loaded engine.
struct OverviewMeasurement {
    private let engine: InferenceEngine
    private let command: OverviewCommand

    init(engine: InferenceEngine, command: OverviewCommand) {
        self.engine = engine
        self.command = command
    }

    /// Prompt tokens in a second of one prompt, from its arrival to its first token.
    func prefill(_ progress: StatusLine) async throws -> OverviewReport.Sample {
        var rates: [Double] = []
        // The first run warms up and does not count.
        for round in 0...command.repeats {
            progress.show("Prefill, run \(round) of \(command.repeats)")
            let prompt = prompt(length: command.promptTokens, seed: UInt64(round))
            let start = ContinuousClock.now
            let times = try await run(prompt, maxTokens: 1)
            guard round > 0, let end = times.last else { continue }
            rates.append(Double(prompt.count) / Format.seconds(end - start))
        }
        return OverviewReport.Sample(batch: 1, rates: rates)
    }

    /// Tokens in a second of `batch` requests together, from the moment when all have their first token.
    func decode(batch: Int, _ progress: StatusLine) async throws -> OverviewReport.Sample {
        var rates: [Double] = []
        for round in 0...command.repeats {
            progress.show("Decode, batch \(batch), run \(round) of \(command.repeats)")
            let times = try await runTogether(batch: batch, round: round)
            if round > 0, let rate = Self.rate(times) { rates.append(rate) }
        }
        return OverviewReport.Sample(batch: batch, rates: rates)
    }

    /// Tokens in a second after every request has its first one; nil when none came after that.
    static func rate(_ times: [[ContinuousClock.Instant]]) -> Double? {
        guard let start = times.compactMap(\.first).max(), let end = times.compactMap(\.last).max(), end > start else {
            return nil
        }
        let tokens = times.joined().count { $0 > start }
        return Double(tokens) / Format.seconds(end - start)
    }

    private func runTogether(batch: Int, round: Int) async throws -> [[ContinuousClock.Instant]] {
        try await withThrowingTaskGroup(of: [ContinuousClock.Instant].self) { group in
            for index in 0..<batch {
                let prompt = prompt(length: command.decodePromptTokens, seed: UInt64(round * 4096 + index))
                group.addTask { try await run(prompt, maxTokens: command.outputTokens) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    /// When each token of a greedy completion came.
    private func run(_ prompt: [Int32], maxTokens: Int) async throws -> [ContinuousClock.Instant] {
        var sampling = SamplingParameters.greedy
        sampling.maxTokens = maxTokens
        sampling.ignoreEOS = true
        var times: [ContinuousClock.Instant] = []
        let request = GenerationRequest(id: "bench", prompt: prompt, sampling: sampling)
        for try await case .delta(let delta) in try engine.generate(request) {
            let now = ContinuousClock.now
            times += repeatElement(now, count: delta.tokens.count)
        }
        return times
    }

    private func prompt(length: Int, seed: UInt64) -> [Int32] {
        var generator = SplitMix64(state: seed)
        let vocabulary = Int32(clamping: engine.model.vocabularySize)
        return (0..<length).map { _ in .random(in: 0..<vocabulary, using: &generator) }
    }
}
