import Engine
import Sampling

/// Many prompts through one engine: enough in flight to fill its steps, results in the order of the prompts.
struct BatchRun {
    let records: [PromptRecord]
    let llm: LLM
    let sampling: SamplingParameters
    var adapter: String?

    /// Prompts that are in the engine at a time; below any queue limit.
    private static let window = 256

    /// Calls `report` for every prompt in order, each as soon as it and all before it are done.
    func results(_ report: (Int, Result<GenerationResult, any Error>) -> Void) async {
        var finished: [Int: Result<GenerationResult, any Error>] = [:]
        var reported = 0
        await withTaskGroup(of: (Int, Result<GenerationResult, any Error>).self) { group in
            for index in 0..<min(Self.window, records.count) { add(index, to: &group) }
            var next = min(Self.window, records.count)
            while let (index, result) = await group.next() {
                finished[index] = result
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

    private func add(_ index: Int, to group: inout TaskGroup<(Int, Result<GenerationResult, any Error>)>) {
        let record = records[index]
        group.addTask { [llm, sampling, adapter] in
            do {
                let prompt = try record.prompt(for: llm.engine)
                return (index, .success(try await llm.generate(prompt, sampling: sampling, adapter: adapter)))
            } catch {
                return (index, .failure(error))
            }
        }
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
