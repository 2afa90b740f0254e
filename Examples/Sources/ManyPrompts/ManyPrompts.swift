import Martlet

/// Answers several questions in one call: the engine computes them together, each as it would be alone.
@main
struct ManyPrompts {
    static func main() async throws {
        let llm = try await LLM(model: CommandLine.arguments.dropFirst().first)
        let facts = "The castle opens at 12. The castle closes at 14. The castle is closed on Thursday."
        let questions = [
            "At what time does the castle open?", "At what time does the castle close?",
            "On which day is the castle closed?",
        ]
        var sampling = llm.engine.defaults
        sampling.maxTokens = 64
        sampling.logprobs = 0
        let results = try await llm.generate(
            questions.map { .chat([.system(facts), .user($0)]) }, sampling: sampling)
        for (question, result) in zip(questions, results) {
            let tokens = result.outputs[0].logprobs
            let mean = tokens.map(\.chosen.logprob).reduce(0, +) / Float(max(1, tokens.count))
            print("\(question) \(result.text) (mean log probability \(mean))")
        }
    }
}
