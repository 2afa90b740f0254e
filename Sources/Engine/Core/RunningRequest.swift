import Sampling
import Scheduling

/// A request in the engine: where its events go and what is measured of it.
final class RunningRequest {
    let key: RequestKey
    let id: String
    let sampling: SamplingParameters
    let promptCount: Int
    /// Nil when the request asks for no adapters.
    let adapterUse: AdapterUse?
    let adapterNames: [String]
    let continuation: GenerationStream.Continuation
    /// Choices that have not finished.
    var open: Set<SequenceID>
    var timeline: RequestTimeline
    var hasStarted = false
    var preemptions = 0
    var generated: [Int]

    init(_ submission: Submission) {
        key = submission.key
        id = submission.id
        sampling = submission.sampling
        promptCount = submission.promptCount
        adapterUse = submission.adapterUse
        adapterNames = submission.adapterNames
        continuation = submission.continuation
        open = []
        timeline = RequestTimeline(
            arrived: submission.arrived, latestToken: Array(repeating: nil, count: submission.sampling.n))
        generated = Array(repeating: 0, count: submission.sampling.n)
    }
}

/// Moments in a request's life, on the engine's monotonic clock.
struct RequestTimeline {
    let arrived: ContinuousClock.Instant
    var scheduled: ContinuousClock.Instant?
    var firstToken: ContinuousClock.Instant?
    /// When each choice got its latest token.
    var latestToken: [ContinuousClock.Instant?]
}
