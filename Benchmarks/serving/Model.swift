import ArgumentParser
import Engine
import Foundation
import Sampling
import SyntheticModels

/// Which model a measurement runs.
struct ModelChoice: ParsableArguments {
    enum Shape: String, ExpressibleByArgument, CaseIterable {
        case demo
        case smol = "135m"
        case oneBillion = "1b"
    }

    @Option(help: "The demo model, or random weights of this shape.")
    var shape: Shape = .demo

    @Flag(name: .customLong("float32"), help: "Weights and cache in float32 instead of the checkpoint's type.")
    var isFloat32 = false

    @Option(help: "Runs of each measurement; medians are reported.")
    var repeats = 3

    /// A function that makes engines over one model; random weights are written once and removed at the end.
    func withModel(_ body: ((EngineConfiguration) async throws -> InferenceEngine) async throws -> Void) async throws {
        guard let random = shape == .demo ? nil : shape == .smol ? RandomModel.Shape.smol : .oneBillion else {
            return try await body { try await InferenceEngine.load(adapted($0)) }
        }
        let folder = try RandomModel(shape: random).write()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body { configuration in
            var configuration = adapted(configuration)
            configuration.model = folder
            return try await InferenceEngine.load(configuration)
        }
    }

    private func adapted(_ configuration: EngineConfiguration) -> EngineConfiguration {
        var configuration = configuration
        if isFloat32 { configuration.dtype = .float32 }
        return configuration
    }
}

/// Random tokens of the demo model's vocabulary, which all shapes contain.
func randomTokens(_ count: Int, seed: Int) -> [Int32] {
    var random = SplitMix64(state: UInt64(seed))
    return (0..<count).map { _ in .random(in: 10..<2000, using: &random) }
}

/// When one request's tokens came.
struct Timeline: Sendable {
    let start: ContinuousClock.Instant
    var tokens: [ContinuousClock.Instant] = []
    var cachedTokens = 0
    /// The tokens themselves.
    var output: [Int32] = []

    var timeToLastToken: Double { tokens.last.map { start.duration(to: $0).inSeconds } ?? .infinity }
    var timeToFirstToken: Double { tokens.first.map { start.duration(to: $0).inSeconds } ?? .infinity }

    var gaps: [(at: ContinuousClock.Instant, seconds: Double)] {
        zip(tokens, tokens.dropFirst()).map { ($0, $0.duration(to: $1).inSeconds) }
    }
}

extension InferenceEngine {
    func run(
        _ prompt: [Int32], outputs: Int, _ change: (inout GenerationRequest) -> Void = { _ in }
    ) async throws -> Timeline {
        var sampling = SamplingParameters.greedy
        sampling.maxTokens = outputs
        sampling.ignoreEOS = true
        var request = GenerationRequest(id: "benchmark", prompt: prompt, sampling: sampling)
        change(&request)
        var timeline = Timeline(start: .now)
        for try await event in try generate(request) {
            switch event {
            case .started(let report): timeline.cachedTokens = report.cachedTokens
            case .delta(let delta):
                timeline.tokens += repeatElement(.now, count: delta.tokens.count)
                timeline.output += delta.tokens
            }
        }
        return timeline
    }
}
