import Engine
import Sampling
import Testing

/// The first law: a request's tokens and log probabilities are the same bits whatever else runs.
@Suite struct SameBitsTests {
    private struct Setup: CustomTestStringConvertible {
        var blockSize = 16
        var maxBatchedTokens = 2048
        var maxSequences = 256
        /// Room for this many tokens in the cache; few force preemption.
        var cacheTokens = 200_000
        var threads = 2
        var dtype = EngineConfiguration.DType.float32

        var testDescription: String {
            "block \(blockSize), budget \(maxBatchedTokens), sequences \(maxSequences), cache \(cacheTokens), "
                + "threads \(threads), \(dtype)"
        }

        var configuration: EngineConfiguration {
            var configuration = EngineConfiguration()
            configuration.blockSize = blockSize
            configuration.maxBatchedTokens = maxBatchedTokens
            configuration.maxSequences = maxSequences
            configuration.threads = threads
            configuration.dtype = dtype
            configuration.maxModelLength = 512
            let bytesPerToken = 6 * 2 * 4 * 32 * (dtype == .float32 ? 4 : 2)
            configuration.cacheMemory = cacheTokens * bytesPerToken
            return configuration
        }
    }

    private static let setups: [Setup] = [
        Setup(), Setup(maxBatchedTokens: 16), Setup(maxBatchedTokens: 1), Setup(blockSize: 1, maxBatchedTokens: 61),
        Setup(blockSize: 4, maxSequences: 7), Setup(blockSize: 32, cacheTokens: 900),
        Setup(cacheTokens: 700, threads: 1), Setup(maxBatchedTokens: 100, threads: 4),
        Setup(blockSize: 8, maxBatchedTokens: 33, cacheTokens: 600, threads: 3),
    ]

    @Test(arguments: setups)
    private func aloneOrTogether(_ setup: Setup) async throws {
        try await check(setup, seed: 1, count: setup.maxBatchedTokens == 1 ? 12 : 40)
    }

    @Test private func aloneOrTogetherInBFloat16() async throws {
        try await check(Setup(maxBatchedTokens: 48, cacheTokens: 900, dtype: .bfloat16), seed: 2, count: 40)
    }

    private func check(_ setup: Setup, seed: UInt64, count: Int) async throws {
        let requests = Self.requests(seed: seed, count: count)
        let reference = try await Self.alone(requests, dtype: setup.dtype)
        let llm = try await LLM(configuration: setup.configuration)
        let together = try await withThrowingTaskGroup(of: (Int, GenerationResult).self) { group in
            for (index, request) in requests.enumerated() {
                group.addTask { (index, try await llm.generate(.tokens(request.prompt), sampling: request.sampling)) }
            }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        for (index, expected) in reference.enumerated() {
            let found = try #require(together[index])
            #expect(Transcript(found) == Transcript(expected), "seed \(seed), request \(index)")
        }
        #expect(await llm.engine.audit() == nil)
        #expect(llm.engine.statistics().cacheUsage == 0)
    }

    private struct Request: Sendable {
        let prompt: [Int32]
        let sampling: SamplingParameters
    }

    private static func requests(seed: UInt64, count: Int) -> [Request] {
        var random = Seeded(seed: seed)
        return (0..<count).map { index in
            let length =
                Bool.random(using: &random)
                ? Int.random(in: 1...40, using: &random) : Int.random(in: 1...300, using: &random)
            var sampling = SamplingParameters()
            sampling.seed = UInt64(index)
            sampling.temperature = [0, 0.7, 1.4].randomElement(using: &random) ?? 0
            sampling.topP = [1, 0.9].randomElement(using: &random) ?? 1
            sampling.topK = [0, 20].randomElement(using: &random) ?? 0
            sampling.repetitionPenalty = [1, 1.2].randomElement(using: &random) ?? 1
            sampling.maxTokens = .random(in: 1...60, using: &random)
            sampling.ignoreEOS = true
            sampling.logprobs = [nil, 0, 3].randomElement(using: &random) ?? nil
            sampling.promptLogprobs = [nil, nil, 1].randomElement(using: &random) ?? nil
            sampling.n = [1, 1, 1, 2].randomElement(using: &random) ?? 1
            return Request(prompt: (0..<length).map { _ in .random(in: 0..<2048, using: &random) }, sampling: sampling)
        }
    }

    /// Each request with the engine to itself, in one thread and whole prompts.
    private static func alone(_ requests: [Request], dtype: EngineConfiguration.DType) async throws
        -> [GenerationResult]
    {
        let llm = try await LLM(configuration: Setup(threads: 1, dtype: dtype).configuration)
        var results: [GenerationResult] = []
        for request in requests {
            results.append(try await llm.generate(.tokens(request.prompt), sampling: request.sampling))
        }
        return results
    }

    /// What must be equal to the bit.
    private struct Transcript: Equatable {
        let tokens: [[Int32]]
        let texts: [String]
        let logprobs: [[PositionLogprobs]]
        let promptLogprobs: [PositionLogprobs?]?

        init(_ result: GenerationResult) {
            tokens = result.outputs.map(\.tokens)
            texts = result.outputs.map(\.text)
            logprobs = result.outputs.map(\.logprobs)
            promptLogprobs = result.promptLogprobs
        }
    }
}
