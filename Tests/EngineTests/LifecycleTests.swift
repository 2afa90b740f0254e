import Engine
import Sampling
import Testing

@Suite struct LifecycleTests {
    private func endless(_ tokens: Int = 400) -> SamplingParameters {
        var sampling = SamplingParameters()
        sampling.maxTokens = tokens
        sampling.ignoreEOS = true
        sampling.seed = 3
        return sampling
    }

    private func load(_ change: (inout EngineConfiguration) -> Void = { _ in }) async throws -> LLM {
        var configuration = EngineConfiguration()
        configuration.maxModelLength = 1024
        change(&configuration)
        return try await LLM(configuration: configuration)
    }

    @Test func randomCancellationsLeakNothingAndChangeNothing() async throws {
        let llm = try await load { $0.maxBatchedTokens = 64 }
        let prompt: [Int32] = (0..<50).map { $0 + 10 }
        let expected = try await llm.generate(.tokens(prompt), sampling: endless(60))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<64 {
                group.addTask {
                    guard index % 3 == 0 else {
                        let result = try await llm.generate(.tokens(prompt), sampling: self.endless(60))
                        #expect(result.outputs.map(\.tokens) == expected.outputs.map(\.tokens))
                        return
                    }
                    var seen = 0
                    for try await _ in try llm.events(.tokens(prompt), sampling: self.endless()) {
                        seen += 1
                        if seen > index { break }
                    }
                }
            }
            try await group.waitForAll()
        }
        await llm.engine.drain(within: .seconds(60))
        #expect(await llm.engine.audit() == nil)
        #expect(llm.engine.statistics().cacheUsage == 0)
        #expect(llm.engine.statistics().requestsRunning == 0)
    }

    @Test func cancelledTasksEndTheirRequests() async throws {
        let llm = try await load()
        let task = Task { try await llm.generate("Once upon a time", sampling: endless(900)) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        await llm.engine.drain(within: .seconds(60))
        #expect(await llm.engine.audit() == nil)
    }

    @Test func abortByNameEndsWithoutAnError() async throws {
        // So many tokens that none of the machines that run this test is done with them before the abort arrives.
        let llm = try await load { $0.maxModelLength = 4096 }
        let stream = try llm.engine.generate(GenerationRequest(id: "mine", prompt: [5, 6, 7], sampling: endless(4000)))
        llm.engine.abort("mine")
        var tokens = 0
        var finish: Finish?
        for try await case .delta(let delta) in stream {
            tokens += delta.tokens.count
            finish = delta.finish
        }
        #expect(tokens < 4000)
        #expect(finish == Finish(.abort))
        #expect(llm.engine.statistics().finished[.abort] == 1)
    }

    @Test func fullQueueRefusesWithoutHarm() async throws {
        let llm = try await load {
            $0.maxQueuedRequests = 2
            $0.maxSequences = 1
        }
        var streams: [GenerationStream] = []
        var refused = 0
        for index in 0..<20 {
            do {
                streams.append(
                    try llm.engine.generate(
                        GenerationRequest(id: "\(index)", prompt: [5, 6], sampling: endless(200))))
            } catch {
                #expect(error == .overloaded(retryAfter: 1))
                refused += 1
            }
        }
        #expect(refused > 0)
        #expect(llm.engine.statistics().rejections == refused)
        for stream in streams {
            var tokens = 0
            for try await case .delta(let delta) in stream { tokens += delta.tokens.count }
            #expect(tokens == 200)
        }
        _ = try await llm.generate(.tokens([5]), sampling: endless(1))
    }

    @Test func drainEndsTheLateOnesWithAnError() async throws {
        let llm = try await load { $0.maxSequences = 1 }
        // Enough before it that it cannot end before the engine does, however busy the machine is.
        let earlier = try (0..<50).map {
            try llm.engine.generate(GenerationRequest(id: "\($0)", prompt: [5, 6], sampling: endless(1000)))
        }
        let stream = try llm.engine.generate(
            GenerationRequest(id: "late", prompt: [5, 6], sampling: endless(1000)))
        await llm.engine.drain(within: .zero)
        withExtendedLifetime(earlier) {}
        await #expect(throws: EngineError.shuttingDown) { for try await _ in stream {} }
        #expect(throws: EngineError.shuttingDown) {
            try llm.engine.generate(GenerationRequest(id: "new", prompt: [5], sampling: endless(1)))
        }
        #expect(!llm.engine.isHealthy)
    }

    @Test func shutdownEndsWhatRuns() async throws {
        let llm = try await load()
        let stream = try llm.engine.generate(GenerationRequest(id: "x", prompt: [5, 6], sampling: endless(1000)))
        llm.engine.shutdown()
        await #expect(throws: EngineError.shuttingDown) { for try await _ in stream {} }
        #expect(await llm.engine.audit() == nil)
    }

    @Test func impossibleRequestsNameTheParameter() async throws {
        let llm = try await load()
        func problem(_ prompt: [Int32], _ change: (inout SamplingParameters) -> Void = { _ in }) -> String? {
            var sampling = endless(1)
            change(&sampling)
            do {
                _ = try llm.engine.generate(GenerationRequest(id: "x", prompt: prompt, sampling: sampling))
                return nil
            } catch .invalidRequest(let parameter, _) {
                return parameter
            } catch {
                return "\(error)"
            }
        }
        #expect(problem([]) == "prompt")
        #expect(problem([2048]) == "prompt")
        #expect(problem([-1]) == "prompt")
        #expect(problem(Array(repeating: 5, count: 1024)) == "prompt")
        #expect(problem(Array(repeating: 5, count: 1000)) { $0.maxTokens = 25 } == "max_tokens")
        #expect(problem([5]) { $0.topP = 0 } == "top_p")
        #expect(problem([5]) { $0.stopTokenIDs = [9999] } == "stop_token_ids")
        #expect(problem(Array(repeating: 5, count: 1000)) { $0.maxTokens = 24 } == nil)
    }

    @Test func constraintsThatLeaveNoTokenFailTheirRequestOnly() async throws {
        let llm = try await load()
        var sampling = endless(5)
        sampling.allowedTokenIDs = [7]
        sampling.logitBias = [7: -.greatestFiniteMagnitude]
        sampling.badWords = []
        sampling.minTokens = 2
        sampling.stopTokenIDs = [7]
        await #expect(throws: EngineError.self) { try await llm.generate(.tokens([5]), sampling: sampling) }
        #expect(try await llm.generate(.tokens([5]), sampling: endless(5)).outputs.first?.tokens.count == 5)
    }
}
