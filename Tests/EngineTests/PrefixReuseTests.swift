import Engine
import KVCache
import Sampling
import Synchronization
import Testing

@Suite struct PrefixReuseTests {
    private func greedy(_ count: Int) -> SamplingParameters {
        var sampling = SamplingParameters()
        sampling.temperature = 0
        sampling.maxTokens = count
        sampling.ignoreEOS = true
        sampling.logprobs = 1
        return sampling
    }

    private let prompt: [Int32] = (0..<100).map { $0 * 7 % 2000 + 3 }

    @Test func aRepeatedPromptComputesOneTokenAndGivesTheSameBits() async throws {
        let llm = try await LLM()
        let cold = try await llm.generate(.tokens(prompt), sampling: greedy(20))
        let warm = try await llm.generate(.tokens(prompt), sampling: greedy(20))
        #expect(cold.cachedTokens == 0)
        #expect(warm.cachedTokens == 99)
        #expect(warm.outputs.map(\.tokens) == cold.outputs.map(\.tokens))
        #expect(warm.outputs.map(\.logprobs) == cold.outputs.map(\.logprobs))
        let statistics = llm.engine.statistics()
        #expect(statistics.prefixCacheQueries == 200)
        #expect(statistics.prefixCacheHits == 99)
        #expect(statistics.promptTokensCached == 99)
        #expect(statistics.prefillComputedTokens.sum == 101)
    }

    /// Every turn finds all of the conversation before it but the last token, which was never computed.
    @Test func everyTurnOfAChatFindsTheTurnsBefore() async throws {
        let llm = try await LLM()
        var conversation = prompt
        for turn in 0..<5 {
            let result = try await llm.generate(.tokens(conversation), sampling: greedy(13))
            let known = turn == 0 ? 0 : conversation.count - 6
            #expect(result.cachedTokens == known, "turn \(turn)")
            conversation += result.outputs[0].tokens + (0..<5).map { Int32(turn * 31 + $0 * 3 + 900) }
        }
    }

    @Test func resetAndSaltsAndRequestsDecideWhatIsReused() async throws {
        let llm = try await LLM()
        func cached(_ change: (inout GenerationRequest) -> Void = { _ in }) async throws -> Int {
            var request = GenerationRequest(id: "r", prompt: prompt, sampling: greedy(1))
            change(&request)
            var cached = -1
            for try await case .started(let report) in try llm.engine.generate(request) { cached = report.cachedTokens }
            return cached
        }
        #expect(try await cached() == 0)
        #expect(try await cached() == 99)
        #expect(try await cached { $0.cacheSalt = "a" } == 0)
        #expect(try await cached { $0.cacheSalt = "a" } == 99)
        #expect(try await cached { $0.cacheSalt = "b" } == 0)
        #expect(try await cached { $0.readsCache = false } == 0)
        #expect(try await cached { $0.sampling.promptLogprobs = 0 } == 0)
        await llm.engine.resetPrefixCache()
        #expect(try await cached() == 0)
    }

    @Test func aResetWhileRequestsRunHarmsNobody() async throws {
        let llm = try await LLM()
        let expected = try await llm.generate(.tokens(prompt), sampling: greedy(150))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let result = try await llm.generate(.tokens(prompt), sampling: greedy(150))
                    #expect(result.outputs.map(\.tokens) == expected.outputs.map(\.tokens))
                }
            }
            for _ in 0..<20 { await llm.engine.resetPrefixCache() }
            try await group.waitForAll()
        }
        #expect(await llm.engine.audit() == nil)
    }

    @Test func choicesOfOneRequestShareThePrompt() async throws {
        let llm = try await LLM()
        var sampling = greedy(4)
        sampling.n = 8
        sampling.temperature = 1
        _ = try await llm.generate(.tokens(prompt), sampling: sampling)
        // 96 tokens are whole blocks, and 4 each choice computes by itself.
        #expect(llm.engine.statistics().prefixCacheHits == 7 * 96)
    }

    @Test func anIdleEngineGivesItsMemoryBack() async throws {
        var configuration = EngineConfiguration()
        configuration.cacheIdleTimeout = 0
        let removed = Mutex(0)
        let stored = Mutex(0)
        configuration.cacheEvents = { events in
            for event in events {
                switch event {
                case .stored: stored.withLock { $0 += 1 }
                case .removed: removed.withLock { $0 += 1 }
                case .cleared: break
                }
            }
        }
        let llm = try await LLM(configuration: configuration)
        let expected = try await llm.generate(.tokens(prompt), sampling: greedy(10))
        // The answer comes before the engine tells of its blocks, and on a busy machine nobody knows how long after.
        while removed.withLock({ $0 }) < 6 || llm.engine.statistics().cacheBytes > 0 {
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(stored.withLock { $0 } == 6)
        #expect(removed.withLock { $0 } == 6)
        let again = try await llm.generate(.tokens(prompt), sampling: greedy(10))
        #expect(again.cachedTokens == 0)
        #expect(again.outputs.map(\.tokens) == expected.outputs.map(\.tokens))
    }
}
