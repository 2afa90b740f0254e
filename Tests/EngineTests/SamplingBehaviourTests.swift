import Engine
import Sampling
import Synchronization
import Testing

/// Every parameter as a caller sees it, on a demo answer that is known token for token.
@Suite struct SamplingBehaviourTests {
    private static let example = Result { try DemoExample.base().first { $0.expectedTokens.count >= 8 } }

    private func run(_ change: (inout SamplingParameters) -> Void) async throws -> (DemoExample, GenerationResult) {
        let example = try #require(try Self.example.get())
        var configuration = EngineConfiguration()
        configuration.dtype = .float32
        let llm = try await LLM(configuration: configuration)
        var sampling = SamplingParameters.greedy
        change(&sampling)
        return (example, try await llm.generate(.tokens(example.promptTokens), sampling: sampling))
    }

    @Test func endTokenEndsTheTextAndIsCounted() async throws {
        let (example, result) = try await run { _ in }
        #expect(result.outputs.first?.tokens == example.expectedTokens)
        #expect(result.text == example.expected)
        #expect(result.outputs.first?.finish == Finish(.stop))
    }

    @Test func maxTokensEndsWithLength() async throws {
        let (example, result) = try await run { $0.maxTokens = 3 }
        #expect(result.outputs.first?.tokens == Array(example.expectedTokens.prefix(3)))
        #expect(result.outputs.first?.finish == Finish(.length))
    }

    @Test func stopStringCutsTheText() async throws {
        let words = try #require(try Self.example.get()).expected.split(separator: " ")
        let stop = String(words[2])
        let (example, result) = try await run { $0.stop = ["never seen", stop] }
        let cut = try #require(example.expected.firstRange(of: stop))
        #expect(result.text == String(example.expected[..<cut.lowerBound]))
        #expect(result.outputs.first?.finish == Finish(.stop, stopReason: .string(stop)))
        let (_, including) = try await run {
            $0.stop = [stop]
            $0.includeStopStringInOutput = true
        }
        #expect(including.text == String(example.expected[..<cut.upperBound]))
    }

    @Test func stopTokenEndsAndIsNamed() async throws {
        let stop = try #require(try Self.example.get()).expectedTokens[4]
        let (example, result) = try await run { $0.stopTokenIDs = [stop] }
        let first = try #require(example.expectedTokens.firstIndex(of: stop))
        #expect(result.outputs.first?.tokens == Array(example.expectedTokens[...first]))
        #expect(result.outputs.first?.finish == Finish(.stop, stopReason: .token(stop)))
    }

    @Test func minTokensAndIgnoreEOSGoOnPastTheEnd() async throws {
        let (example, longer) = try await run {
            $0.minTokens = 40
            $0.maxTokens = 60
        }
        #expect((longer.outputs.first?.tokens.count ?? 0) > example.expectedTokens.count)
        #expect(longer.outputs.first?.tokens.prefix(39).contains(0) == false)
        let (_, ignoring) = try await run {
            $0.ignoreEOS = true
            $0.maxTokens = 50
        }
        #expect(ignoring.outputs.first?.tokens.count == 50)
        #expect(ignoring.outputs.first?.finish == Finish(.length))
    }

    @Test func biasBadWordsAndAllowedTokensSteerTheChoice() async throws {
        let first = try #require(try Self.example.get()).expectedTokens[0]
        let (_, biased) = try await run {
            $0.logitBias = [first: -100]
            $0.maxTokens = 1
        }
        #expect(biased.outputs.first?.tokens.first != first)
        let (_, forced) = try await run {
            $0.logitBias = [77: 100]
            $0.maxTokens = 4
            $0.ignoreEOS = true
        }
        #expect(forced.outputs.first?.tokens == [77, 77, 77, 77])
        let (_, allowed) = try await run {
            $0.allowedTokenIDs = [50, 60]
            $0.maxTokens = 6
        }
        let chosen = Set(allowed.outputs.flatMap(\.tokens))
        #expect(!chosen.isEmpty && chosen.isSubset(of: [50, 60]))
        let word = String(try #require(try Self.example.get()).expected.split(separator: " ")[1])
        let (_, without) = try await run {
            $0.badWords = [word]
            $0.maxTokens = 30
        }
        #expect(!without.text.contains(" \(word) "))
    }

    @Test func logprobsDescribeTheGreedyPath() async throws {
        let (example, result) = try await run {
            $0.logprobs = 3
            $0.promptLogprobs = 2
        }
        let output = try #require(result.outputs.first)
        #expect(output.logprobs.count == output.tokens.count)
        for (token, position) in zip(output.tokens, output.logprobs) {
            #expect(position.chosen.token == token)
            #expect(position.chosen.rank == 1)
            #expect(position.top.count == 3)
            #expect(position.top.first?.token == token)
            #expect(position.chosen.logprob <= 0)
        }
        let prompt = try #require(result.promptLogprobs)
        #expect(prompt.count == example.promptTokens.count)
        #expect(prompt.first == .some(nil))
        #expect(zip(prompt, example.promptTokens).dropFirst().allSatisfy { $0?.chosen.token == $1 })
    }

    @Test func choicesDifferBySeedAndRepeatWithIt() async throws {
        func sample() async throws -> [[Int32]] {
            try await run {
                $0.temperature = 1.5
                $0.seed = 12
                $0.n = 4
                $0.maxTokens = 12
                $0.ignoreEOS = true
            }.1.outputs.map(\.tokens)
        }
        let first = try await sample()
        #expect(Set(first).count > 1)
        #expect(first == (try await sample()))
    }

    @Test func streamedTextIsTheWholeText() async throws {
        let example = try #require(try Self.example.get())
        let llm = try await LLM()
        var sampling = SamplingParameters.greedy
        sampling.maxTokens = 30
        var text = ""
        for try await piece in try llm.stream(.tokens(example.promptTokens), sampling: sampling) { text += piece }
        #expect(text == (try await llm.generate(.tokens(example.promptTokens), sampling: sampling)).text)
    }

    @Test func severalPromptsReportProgressAndKeepTheirOrder() async throws {
        let examples = try DemoExample.base().prefix(20)
        let llm = try await LLM()
        let finished = Mutex<[Int]>([])
        let results = try await llm.generate(
            examples.map { .tokens($0.promptTokens) }, sampling: .greedy,
            progress: { progress in finished.withLock { $0.append(progress.finishedPrompts) } })
        #expect(results.map(\.promptTokens) == examples.map(\.promptTokens))
        #expect(finished.withLock { $0.sorted() } == Array(1...20))
    }
}
