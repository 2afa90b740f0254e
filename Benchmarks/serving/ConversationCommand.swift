import ArgumentParser
import Engine
import Sampling
import SyntheticModels

/// Chats of several turns that share a system prompt: tokens found in the cache against the longest common prefix with
/// everything sent or generated before, which is what a radix tree of tokens finds.
struct ConversationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conversations", abstract: "Multi-turn chats: tokens reused, against the ideal.")

    @OptionGroup var model: ModelChoice
    @Option var chats = 16
    @Option var turns = 6

    func run() async throws {
        try await model.withModel { load in
            var configuration = EngineConfiguration()
            configuration.maxModelLength = 2048
            let engine = try await load(configuration)
            let system = randomTokens(203, seed: 1)
            var random = SplitMix64(state: 7)
            var histories = Array(repeating: system, count: chats)
            var computed: [[Int32]] = []
            var queried = 0
            var found = 0
            var ideal = 0
            for turn in 0..<turns {
                for chat in histories.indices {
                    histories[chat] += randomTokens(.random(in: 5...60, using: &random), seed: turn * 1000 + chat)
                    let prompt = histories[chat]
                    let known = computed.map { zip($0, prompt).prefix { $0 == $1 }.count }.max() ?? 0
                    let result = try await LLM(engine: engine).generate(
                        .tokens(prompt), sampling: sampling(.random(in: 5...60, using: &random)))
                    queried += prompt.count
                    found += result.cachedTokens
                    ideal += min(known, prompt.count - 1)
                    histories[chat] += result.outputs[0].tokens
                    // The last token was chosen but never computed.
                    computed.append(histories[chat].dropLast())
                }
            }
            report(
                "conversations",
                [
                    ("prompt tokens", "\(queried)"), ("found", "\(found)"), ("ideal", "\(ideal)"),
                    ("share of ideal", short(Double(found) / Double(ideal))),
                ])
            engine.shutdown()
        }
    }

    private func sampling(_ outputs: Int) -> SamplingParameters {
        var sampling = SamplingParameters.greedy
        sampling.maxTokens = outputs
        sampling.ignoreEOS = true
        return sampling
    }
}
