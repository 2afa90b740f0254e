import Checkpoints
import Engine
import Sampling
import Testing

/// The demo model against transformers: every recorded answer, all requests in one batch.
@Suite struct DemoModelTests {
    private func greedy(_ examples: [DemoExample], _ dtype: EngineConfiguration.DType) async throws
        -> [GenerationResult]
    {
        var configuration = EngineConfiguration()
        configuration.dtype = dtype
        let llm = try await LLM(configuration: configuration)
        return try await withThrowingTaskGroup(of: (Int, GenerationResult).self) { group in
            for (index, example) in examples.enumerated() {
                group.addTask {
                    var sampling = SamplingParameters.greedy
                    sampling.maxTokens = example.expectedTokens.count
                    return (index, try await llm.generate(.tokens(example.promptTokens), sampling: sampling))
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    @Test func everyBaseAnswerInFloat32() async throws {
        let examples = try DemoExample.base()
        #expect(examples.count == 520)
        for (example, result) in zip(examples, try await greedy(examples, .float32)) {
            #expect(result.outputs.first?.tokens == example.expectedTokens, "\(example.id)")
            #expect(result.text == example.expected, "\(example.id)")
        }
    }

    @Test func clearAnswersInBFloat16() async throws {
        let examples = try DemoExample.base().filter { $0.minMargin >= 0.25 }
        #expect(!examples.isEmpty)
        for (example, result) in zip(examples, try await greedy(examples, .bfloat16)) {
            #expect(result.outputs.first?.tokens == example.expectedTokens, "\(example.id)")
        }
    }

    @Test func tokenizerAndTemplateMakeTheRecordedPrompts() async throws {
        let llm = try await LLM()
        for example in try DemoExample.base() {
            let text = try llm.engine.text.renderChat(
                messages: example.messages, tools: nil, documents: nil, addGenerationPrompt: true,
                continueFinalMessage: false, kwargs: [:], template: nil)
            #expect(text == example.prompt, "\(example.id)")
            #expect(llm.engine.text.encode(text, addSpecialTokens: false) == example.promptTokens, "\(example.id)")
        }
    }
}
