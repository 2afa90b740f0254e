import Sampling
import Scheduling

extension EngineCore {
    /// Adds a chosen token to its sequence, reports it, and ends the choice if it is the last.
    func accept(_ outcome: SamplingStage.Outcome, for id: SequenceID, at now: ContinuousClock.Instant) {
        guard let choice = choices[id] else { return }
        reportStart(choice, at: now)
        guard let token = outcome.token else { return failNoToken(choice) }
        choice.outputCount += 1
        choice.processor.record(token)
        let step = choice.output.append(token)
        noteToken(choice, at: now)
        choice.request.continuation.yield(
            .delta(
                GenerationDelta(
                    index: choice.index, text: step.text, tokens: [token],
                    logprobs: outcome.logprobs.map { [$0] } ?? [], finish: step.finish)))
        if let finish = step.finish { return finishChoice(choice, finish, at: now) }
        scheduler.append(token, to: id)
    }

    private func reportStart(_ choice: Choice, at now: ContinuousClock.Instant) {
        let request = choice.request
        guard !request.hasStarted else { return }
        // The first choice collects the prompt's log probabilities, and it never samples after the others.
        request.hasStarted = true
        request.timeline.firstToken = now
        let cached = cachedTokens(of: choice)
        recorder.started(request, cachedTokens: cached, at: now)
        request.continuation.yield(
            .started(
                PromptReport(
                    promptTokens: choice.promptCount, cachedTokens: cached, virtualTokens: choice.virtualCount,
                    adapters: request.adapterUse, logprobs: choice.promptLogprobs)))
    }

    /// Tokens of the prompt that were found in the cache, without the virtual ones before them.
    private func cachedTokens(of choice: Choice) -> Int {
        max(0, (scheduler[choice.id]?.cachedCount ?? 0) - choice.virtualCount)
    }

    private func noteToken(_ choice: Choice, at now: ContinuousClock.Instant) {
        let request = choice.request
        if choice.outputCount == 1, request.sampling.promptLogprobs == nil {
            recorder.looked(up: choice.promptCount, found: cachedTokens(of: choice))
        }
        recorder.generated(request, since: request.timeline.latestToken[choice.index], at: now)
        request.timeline.latestToken[choice.index] = now
        request.generated[choice.index] = choice.outputCount
    }

    private func finishChoice(_ choice: Choice, _ finish: Finish, at now: ContinuousClock.Instant) {
        let request = choice.request
        scheduler.remove(choice.id)
        choices[choice.id] = nil
        request.open.remove(choice.id)
        recorder.finished(finish.reason)
        guard request.open.isEmpty else { return }
        requests[request.key] = nil
        recorder.completed(request, at: now)
        recorder.adaptersLeft(request)
        request.continuation.finish()
    }

    private func failNoToken(_ choice: Choice) {
        end(
            choice.request,
            throwing: .invalidRequest(
                parameter: nil,
                message: "No token can be generated: the request's constraints exclude every token at this position."))
    }
}
