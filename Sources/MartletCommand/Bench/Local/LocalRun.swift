import Engine
import Sampling

/// Requests to an engine in this process.
struct LocalRun {
    let llm: LLM

    /// Sends `prompt` now, greedy and to its full length; fails like the engine.
    func request(_ prompt: BenchPrompt, start: ContinuousClock.Instant) async throws -> RequestRecord {
        let input = try PromptRecord(prompt.content).prompt(for: llm.engine)
        var sampling = SamplingParameters.greedy
        sampling.maxTokens = prompt.outputTokens
        sampling.ignoreEOS = true
        let adapter = prompt.adapter.flatMap { llm.engine.model.servedNames.contains($0) ? nil : $0 }
        var record = RequestRecord(sent: Format.seconds(.now - start), adapter: prompt.adapter)
        for try await event in try llm.events(input, sampling: sampling, adapter: adapter) {
            let time = Format.seconds(.now - start)
            switch event {
            case .started(let report): record.promptTokens = report.promptTokens
            case .delta(let delta):
                record.arrivals += repeatElement(time, count: delta.tokens.count)
                record.outputTokens += delta.tokens.count
            }
        }
        return record
    }

    /// All at once.
    func together(_ prompts: [BenchPrompt]) async throws -> [RequestRecord] {
        let start = ContinuousClock.now
        return try await withThrowingTaskGroup(of: RequestRecord.self) { group in
            for prompt in prompts { group.addTask { try await request(prompt, start: start) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }
}
