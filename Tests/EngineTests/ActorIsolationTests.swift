import Engine
import Sampling
import Testing

/// Programs load a model and ask it from the main actor; what runs after each call must be there again.
@Suite struct ActorIsolationTests {
    @Test @MainActor func theMainActorIsKeptAcrossLoadingAndGenerating() async throws {
        let llm = try await LLM()
        // A closure that inherits the main actor checks at run time that it is there.
        let inherited: @MainActor () -> Void = { MainActor.assertIsolated() }
        inherited()
        MainActor.assertIsolated()
        var sampling = llm.engine.defaults
        sampling.maxTokens = 2
        let prompts = ["one", "two"].map { text in
            MainActor.assertIsolated()
            return Prompt.text(text)
        }
        let results = try await llm.generate(prompts, sampling: sampling)
        MainActor.assertIsolated()
        #expect(results.count == 2)
        for try await _ in try llm.stream(.text("three"), sampling: sampling) { MainActor.assertIsolated() }
        llm.engine.shutdown()
        MainActor.assertIsolated()
    }
}
