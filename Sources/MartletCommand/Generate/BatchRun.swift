import Engine
import Sampling

/// Many prompts through one engine: enough in flight to fill its steps, results in the order of the prompts.
struct BatchRun {
    let records: [PromptRecord]
    let choice: AdapterChoice
    let sampling: SamplingParameters
    /// Adapters of prompts that name none of their own.
    let adapters: [AdapterSelection]
    let requiresInvocation: Bool

    /// Prompts that are in the engine at a time; below any queue limit.
    private static let window = 256

    /// Calls `report` for every prompt in order, each as soon as it and all before it are done.
    func results(_ report: (Int, Result<GenerationResult, any Error>) -> Void) async {
        var finished: [Int: Result<GenerationResult, any Error>] = [:]
        var reported = 0
        await withTaskGroup(of: Outcome.self) { group in
            for index in 0..<min(Self.window, records.count) { add(index, to: &group) }
            var next = min(Self.window, records.count)
            while let outcome = await group.next() {
                finished[outcome.index] = outcome.result
                if next < records.count {
                    add(next, to: &group)
                    next += 1
                }
                while let result = finished.removeValue(forKey: reported) {
                    report(reported, result)
                    reported += 1
                }
            }
        }
    }

    /// What became of one prompt.
    private struct Outcome: Sendable {
        let index: Int
        let result: Result<GenerationResult, any Error>
    }

    private func add(_ index: Int, to group: inout TaskGroup<Outcome>) {
        let record = records[index]
        group.addTask { Outcome(index: index, result: await outcome(record)) }
    }

    private func outcome(_ record: PromptRecord) async -> Result<GenerationResult, any Error> {
        do { return .success(try await result(record)) } catch { return .failure(error) }
    }

    private func result(_ record: PromptRecord) async throws -> GenerationResult {
        let llm = choice.llm
        let adapters = record.adapters ?? adapters
        for adapter in adapters { try await choice.load(adapter.name) }
        let prompt = try record.prompt(for: llm.engine)
        let results = try await llm.generate(
            [prompt], sampling: sampling, adapterSums: [adapters], requiresInvocation: requiresInvocation)
        guard let result = results.first else { throw CancellationError() }
        return result
    }
}

/// How many prompts are done, on the terminal while results go to a file.
struct BatchLine {
    private let total: Int
    private let terminal = Terminal.error
    private let isShown: Bool

    /// - Parameter isOutputShared: whether results appear on the same terminal, which then needs no count.
    init(total: Int, isOutputShared: Bool) {
        self.total = total
        isShown = terminal.isInteractive && !isOutputShared && total > 1
    }

    func show(finished: Int) {
        if isShown { terminal.write("\r\u{1B}[K" + terminal.dim("\(finished) of \(total) prompts done")) }
    }

    func clear() {
        if isShown { terminal.write("\r\u{1B}[K") }
    }
}
