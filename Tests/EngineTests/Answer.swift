import Engine
import Sampling
import Testing

/// What came of a request.
struct Answer: Sendable, Equatable {
    var cachedTokens = 0
    var virtualTokens = 0
    var adapterStart: Int?
    var tokens: [Int32] = []
    var logprobs: [Float] = []

    init(_ request: GenerationRequest, from llm: LLM) async throws {
        var request = request
        // Where memory is short, an adapter without a lease may be given up before the request has it.
        if request.lease == nil, !request.adapters.isEmpty {
            request.lease = try await llm.adapters.prepare(request.adapters.map(\.name))
        }
        for try await event in try llm.engine.generate(request) {
            switch event {
            case .started(let report):
                cachedTokens = report.cachedTokens
                virtualTokens = report.virtualTokens
                if case .from(let start) = report.adapters { adapterStart = start }
            case .delta(let delta):
                tokens += delta.tokens
                logprobs += delta.logprobs.map(\.chosen.logprob)
            }
        }
    }

    /// Compares with what was recorded.
    func check(_ expected: GoldenSet.Case, _ comment: String = "") {
        #expect(virtualTokens == expected.virtualTokens, "\(expected.id) \(comment)")
        guard expected.isCertain else { return }
        #expect(tokens == expected.tokens, "\(expected.id) \(comment)")
        #expect(adapterStart ?? 0 == expected.adapterStart ?? 0, "\(expected.id) \(comment)")
        for (found, logprob) in zip(logprobs, expected.logprobs) {
            #expect(abs(Double(found) - logprob) < 2e-3, "\(expected.id) \(comment)")
        }
    }
}
