import Compute
import Sampling

/// Turns rows of logits into tokens and log probabilities, spread over the kernels' workers.
///
/// Each row is independent of the others, so the spread changes nothing in the result.
final class SamplingStage {
    /// What is asked of one row.
    struct Job {
        enum Kind {
            /// `output` are the tokens so far where the choice's processor reads them.
            case sample(Choice, output: ArraySlice<Int32>)
            case report(token: Int32, top: Int)
        }

        /// Tokens that the row may choose from; what follows them in the row is nothing.
        let vocabularySize: Int
        let kind: Kind
    }

    /// What came of one row; `token` is nil when no token was possible.
    struct Outcome {
        var token: Int32?
        var logprobs: PositionLogprobs?
    }

    private let pool: WorkerPool
    private let phases = WorkPhases(count: 1)
    /// One for each worker, which alone uses it.
    private let workspaces: [Workspace]

    init(pool: WorkerPool) {
        self.pool = pool
        workspaces = (0..<pool.workerCount).map { _ in Workspace() }
    }

    /// Row i of `logits`, whose rows are `stride` numbers apart, belongs to `jobs[i]`; rows may be changed.
    func run(_ jobs: [Job], logits: UnsafeMutablePointer<Float>, stride distance: Int) -> [Outcome] {
        Array(unsafeUninitializedCapacity: jobs.count) { outcomes, count in
            outcomes.initialize(repeating: Outcome())
            nonisolated(unsafe) let outcomes = outcomes
            nonisolated(unsafe) let logits = logits
            nonisolated(unsafe) let stage = self
            nonisolated(unsafe) let jobs = jobs
            let round = phases.begin()
            pool.runPhases(alone: jobs.count == 1) { worker in
                round.run(0, pieces: jobs.count) { row in
                    let values = UnsafeMutableBufferPointer(
                        start: logits + row * distance, count: jobs[row].vocabularySize)
                    outcomes[row] = stage.workspaces[worker.index].perform(jobs[row], values)
                }
            }
            count = jobs.count
        }
    }

    /// Buffers of one worker.
    private final class Workspace {
        private var scratch = SamplingScratch()
        private var original: [Float] = []

        func perform(_ job: Job, _ logits: UnsafeMutableBufferPointer<Float>) -> Outcome {
            switch job.kind {
            case .report(let token, let top):
                return Outcome(
                    token: token,
                    logprobs: LogprobReporter.report(UnsafeBufferPointer(logits), token: token, top: top))
            case .sample(let choice, let output): return sample(choice, output, logits)
            }
        }

        private func sample(
            _ choice: Choice, _ output: ArraySlice<Int32>, _ logits: UnsafeMutableBufferPointer<Float>
        ) -> Outcome {
            let top = choice.request.sampling.logprobs
            if top != nil { keep(logits) }
            if !choice.processor.isIdentity {
                choice.processor.apply(to: logits, output: output, count: choice.outputCount)
            }
            let token = choice.sampler.sample(logits, position: choice.outputCount, scratch: &scratch)
            guard let token, let top else { return Outcome(token: token) }
            let logprobs = original.withUnsafeBufferPointer {
                LogprobReporter.report($0, token: token, top: top)
            }
            return Outcome(token: token, logprobs: logprobs)
        }

        private func keep(_ logits: UnsafeMutableBufferPointer<Float>) {
            if original.count == logits.count {
                original.withUnsafeMutableBufferPointer { _ = $0.update(fromContentsOf: logits) }
            } else {
                original = Array(logits)
            }
        }
    }
}
