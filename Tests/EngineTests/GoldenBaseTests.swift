import Checkpoints
import Engine
import Foundation
import Sampling
import Testing

/// The base model's cases of an independent golden set, where `MARTLET_GOLDEN` points to one: greedy tokens and their
/// log probabilities as transformers computes them, all requests in one batch.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["MARTLET_GOLDEN"] != nil))
struct GoldenBaseTests {
    private struct Case: Sendable {
        let id: String
        let prompt: [Int32]
        let tokens: [Int32]
        let logprobs: [Double]
        let minMargin: Double

        init(_ json: JSONValue) {
            id = json["id"]?.string ?? ""
            prompt = json["prompt_ids"]?.array?.compactMap { $0.int.map(Int32.init) } ?? []
            tokens = json["greedy_ids"]?.array?.compactMap { $0.int.map(Int32.init) } ?? []
            logprobs = json["greedy_logprobs"]?.array?.compactMap(\.double) ?? []
            minMargin = json["min_margin"]?.double ?? 0
        }
    }

    @Test func llamaAnswersAsRecorded() async throws {
        let folder = ProcessInfo.processInfo.environment["MARTLET_GOLDEN"] ?? ""
        let golden = try JSONValue(
            parsing: String(contentsOfFile: folder + "/golden/llama.json", encoding: .utf8))
        // Adapters have cases of their own.
        let cases = (golden["cases"]?.array ?? []).filter { $0["adapter"]?.isNull == true }.map(Case.init)
            .filter { $0.minMargin > 0.004 }
        #expect(cases.count >= 4)
        let llm = try await LLM(model: folder + "/models/llama")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for expected in cases { group.addTask { try await check(expected, llm) } }
            try await group.waitForAll()
        }
    }

    private func check(_ expected: Case, _ llm: LLM) async throws {
        var sampling = SamplingParameters.greedy
        sampling.maxTokens = expected.tokens.count
        sampling.ignoreEOS = true
        sampling.logprobs = 0
        let output = try #require(
            try await llm.generate(.tokens(expected.prompt), sampling: sampling).outputs.first)
        #expect(output.tokens == expected.tokens, "\(expected.id)")
        for (found, logprob) in zip(output.logprobs, expected.logprobs) {
            #expect(abs(Double(found.chosen.logprob) - logprob) < 2e-3, "\(expected.id)")
        }
    }
}
