import Engine
import Foundation
import Sampling
import Testing

/// The first law under the prefix cache: whatever is reused, copied, evicted, preempted or reordered, a request gives
/// the bits that it gives alone with nothing cached.
///
/// `MARTLET_WORKLOAD_SEEDS` runs more than the usual number.
@Suite(.serialized) struct RandomWorkloadTests {
    static let seeds =
        0..<(ProcessInfo.processInfo.environment["MARTLET_WORKLOAD_SEEDS"].flatMap { Int($0) } ?? 200)

    @Test(arguments: stride(from: 0, to: seeds.count, by: 20).map { $0..<min($0 + 20, seeds.count) })
    func aloneOrReused(seeds: Range<Int>) async throws {
        for seed in seeds { try await check(seed: seed) }
    }

    private func check(seed: Int) async throws {
        var workload = Workload(seed: UInt64(seed))
        let configuration = workload.configuration()
        let requests = workload.requests()
        let reference = try await References.engine(configuration)
        let llm = try await LLM(configuration: configuration)
        if workload.hasAdapters { try await DemoAdapterTests.loadAll(into: llm.engine) }
        // In waves, so that later requests find what earlier ones left.
        for wave in stride(from: 0, to: requests.count, by: workload.waveSize) {
            let indices = wave..<min(wave + workload.waveSize, requests.count)
            let found = try await withThrowingTaskGroup(of: (Int, Outcome?).self) { group in
                for index in indices {
                    group.addTask { (index, try await Outcome(requests[index], on: llm.engine)) }
                }
                return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            for index in indices where !requests[index].isCancelled {
                let alone = try await Outcome(requests[index], on: reference)
                let together = try #require(found[index] ?? nil)
                try #require(together == alone, "seed \(seed), request \(index)")
            }
            let problem = await llm.engine.audit()
            try #require(problem == nil, "seed \(seed)")
            if workload.resets { await llm.engine.resetPrefixCache() }
        }
        for adapter in llm.adapters.all { try llm.adapters.unload(adapter.name) }
        #expect(await llm.engine.audit() == nil)
        #expect(llm.engine.statistics().cacheUsage == 0, "seed \(seed)")
        llm.engine.shutdown()
    }
}

/// Engines without a prefix cache, for one request at a time.
private actor References {
    static let shared = References()
    private var engines: [String: InferenceEngine] = [:]

    static func engine(_ like: EngineConfiguration) async throws -> InferenceEngine {
        try await shared.engine(like)
    }

    private func engine(_ like: EngineConfiguration) async throws -> InferenceEngine {
        let name = "\(like.dtype) \(like.cacheDType)"
        if let engine = engines[name] { return engine }
        var configuration = EngineConfiguration()
        configuration.dtype = like.dtype
        configuration.cacheDType = like.cacheDType
        configuration.enablesPrefixCaching = false
        configuration.threads = 1
        configuration.maxSequences = 1
        let engine = try await InferenceEngine.load(configuration)
        try await DemoAdapterTests.loadAll(into: engine)
        engines[name] = engine
        return engine
    }
}

private struct WorkloadRequest: Sendable {
    var generation: GenerationRequest
    /// Left after its first token.
    var isCancelled = false
}

/// Everything that must be equal to the bit.
private struct Outcome: Equatable {
    private struct Choice: Equatable {
        var tokens: [Int32] = []
        var text = ""
        var logprobs: [PositionLogprobs] = []
        var finish: Finish?
    }

    private var choices: [Int: Choice] = [:]
    private var promptLogprobs: [PositionLogprobs?]?

    init(_ request: WorkloadRequest, on engine: InferenceEngine) async throws {
        for try await event in try engine.generate(request.generation) {
            switch event {
            case .started(let report): promptLogprobs = report.logprobs
            case .delta(let delta):
                choices[delta.index, default: Choice()].tokens += delta.tokens
                choices[delta.index, default: Choice()].text += delta.text
                choices[delta.index, default: Choice()].logprobs += delta.logprobs
                choices[delta.index, default: Choice()].finish = delta.finish
                if request.isCancelled { return }
            }
        }
    }
}

/// One random mixture of limits and requests.
private struct Workload {
    private var random: Seeded
    let waveSize: Int
    let resets: Bool
    let hasAdapters: Bool

    init(seed: UInt64) {
        random = Seeded(seed: seed)
        waveSize = .random(in: 1...8, using: &random)
        resets = Int.random(in: 0..<6, using: &random) == 0
        hasAdapters = Bool.random(using: &random)
    }

    mutating func configuration() -> EngineConfiguration {
        var configuration = EngineConfiguration()
        configuration.blockSize = pick(1, 4, 16, 32)
        configuration.maxBatchedTokens = pick(1, 7, 16, 64, 2048)
        configuration.maxSequences = pick(2, 5, 64)
        configuration.threads = pick(1, 2, 3, 4)
        configuration.dtype = pick(.float32, .float32, .bfloat16)
        configuration.cacheDType = pick(.auto, .auto, .float32, .bfloat16, .int8)
        configuration.maxModelLength = 160
        configuration.longPrefillTokenThreshold = pick(0, 5, 32)
        configuration.maxMixedPrefillTokens = pick(0, 9, 64)
        configuration.watermark = pick(0, 0.01, 0.2)
        configuration.schedulingPolicy = pick(.fcfs, .priority, .fair)
        configuration.enablesPrefixCaching = Int.random(in: 0..<8, using: &random) > 0
        // Room for one sequence and a little more forces preemption and eviction.
        let bytes = 6 * 2 * 4 * 32 * 4
        configuration.cacheMemory = pick(170, 300, 600, 20_000) * bytes
        guard hasAdapters else { return configuration }
        configuration.precomputesSoftPrompts = Bool.random(using: &random)
        configuration.cacheMemory = (configuration.cacheMemory ?? 0) + 7 << 20
        return configuration
    }

    mutating func requests() -> [WorkloadRequest] {
        let prefixes = (0..<3).map { _ in tokens(.random(in: 1...100, using: &random)) }
        var prompts: [[Int32]] = []
        return (0..<12).map { index in
            let start = prompts.randomElement(using: &random) ?? prefixes[0]
            let base = Bool.random(using: &random) ? start : prefixes.randomElement(using: &random) ?? start
            let kept = Array(base.prefix(.random(in: 0...base.count, using: &random)))
            let prompt = Array((kept + tokens(.random(in: 1...30, using: &random))).prefix(hasAdapters ? 100 : 130))
            prompts.append(prompt)
            return request(index, Int.random(in: 0..<5, using: &random) == 0 ? start : prompt)
        }
    }

    private mutating func request(_ index: Int, _ prompt: [Int32]) -> WorkloadRequest {
        var sampling = SamplingParameters()
        sampling.seed = UInt64(index)
        sampling.temperature = pick(0, 0.8, 1.5)
        sampling.topP = pick(1, 0.9)
        sampling.repetitionPenalty = pick(1, 1.2)
        sampling.maxTokens = .random(in: 1...20, using: &random)
        sampling.ignoreEOS = true
        sampling.logprobs = pick(nil, 0, 3)
        sampling.promptLogprobs = pick(nil, nil, nil, 1)
        sampling.n = pick(1, 1, 1, 2)
        var request = GenerationRequest(id: "\(index)", prompt: prompt, sampling: sampling)
        request.priority = .random(in: -2...2, using: &random)
        request.tenant = pick("a", "b", "c")
        request.cacheSalt = pick(nil, nil, nil, "salt")
        if hasAdapters { request.adapters = adapters() }
        request.readsCache = Int.random(in: 0..<8, using: &random) > 0
        return WorkloadRequest(generation: request, isCancelled: Int.random(in: 0..<10, using: &random) == 0)
    }

    private mutating func adapters() -> [AdapterSelection] {
        pick(
            [], ["sql"], ["json-extract"], ["certainty"], ["pirate"], ["terse"], ["terse", "sql"],
            ["json-extract", "pirate"])
    }

    private mutating func tokens(_ count: Int) -> [Int32] {
        (0..<count).map { _ in .random(in: 0..<2048, using: &random) }
    }

    private mutating func pick<T>(_ values: T...) -> T { values[Int.random(in: 0..<values.count, using: &random)] }
}
