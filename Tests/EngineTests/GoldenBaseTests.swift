import Engine
import Testing

/// The base model's cases of an independent golden set: greedy tokens and their log probabilities as transformers
/// computes them, all requests in one batch.
@Suite(.enabled(if: GoldenSet.folder != nil))
struct GoldenBaseTests {
    @Test(arguments: GoldenSet.architectures)
    func answersAsRecorded(architecture: String) async throws {
        // Adapters have cases of their own.
        let cases = try GoldenSet(architecture + ".json").cases.filter { $0.adapters.isEmpty && $0.isCertain }
        #expect(cases.count >= 4)
        let llm = try await LLM(model: GoldenSet.model(architecture))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for expected in cases { group.addTask { try await Answer(expected.request(), from: llm).check(expected) } }
            try await group.waitForAll()
        }
    }
}
