import ArgumentParser
import Checkpoints
import Engine

/// `martlet bench throughput`: many prompts through one engine in this process.
struct ThroughputCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "throughput",
        abstract: "Measure the throughput of many prompts, without a server.",
        discussion: """
            Hands all prompts to the engine at once, or --max-concurrency at a time; flags as in `vllm bench throughput`. \
            Requests ask for the loaded adapters in turn, or as --adapters says.

            EXAMPLES
              martlet bench throughput --num-prompts 32 --input-len 128 --output-len 128
              martlet bench throughput ~/models/llama --dataset prompts.jsonl --num-prompts 500 --json -
              martlet bench throughput ~/models/llama --adapter a=~/adapters/a --adapter b=~/adapters/b
            """)

    @OptionGroup var options: BenchModelOptions
    @OptionGroup(title: "Requests") var requests: PromptOptions
    @OptionGroup(title: "Adapters") var loaded: AdapterOptions

    @Option(
        name: .customLong("num-warmups"),
        help: ArgumentHelp("Requests with other prompts that run before and do not count.", valueName: "count"))
    var warmups = 1

    @OptionGroup(title: "Results") var output: BenchOutput

    func validate() throws {
        guard (0...100_000).contains(warmups) else { throw ValidationError("--num-warmups must be at least 0.") }
    }

    func engineConfiguration() throws -> EngineConfiguration {
        var configuration = try options.configuration()
        configuration.maxQueuedRequests = max(requests.count, warmups, configuration.maxQueuedRequests)
        return configuration
    }

    func run() async throws {
        let progress = StatusLine()
        defer { progress.clear() }
        var machine = BenchMachine(threads: options.engine.threads)
        let llm = try await options.load(try engineConfiguration(), progress)
        try await loaded.load(into: llm.engine)
        let names = (loaded.adapters + loaded.modules).map(\.name)
        let prompts = try requests.prompts(
            vocabularySize: llm.engine.model.vocabularySize,
            mix: requests.adapters ?? (names.isEmpty ? nil : AdapterMix(names: names)))
        let run = LocalRun(llm: llm)
        try await warmUp(run, names)
        machine.probeBefore(progress)
        let report = await measure(prompts, run, progress)
        machine.probeAfter(progress)
        progress.clear()
        let model = llm.engine.model
        try output.write { terminal in
            machine.text(terminal) + report.summary(terminal, name: options.name, model: model)
        } json: {
            report.throughputJSON(name: options.name, model: model, machine: machine)
        }
        llm.engine.shutdown()
        if report.succeeded.isEmpty { throw CommandError("All requests failed.") }
    }

    private func warmUp(_ run: LocalRun, _ names: [String]) async throws {
        let prompts = RandomPrompts(inputLength: 16, outputLength: 2, seed: requests.seed &+ 0xAA).prompts(
            count: warmups)
        let mix = AdapterMix(names: names).assign(count: warmups)
        _ = try await run.together(
            zip(prompts, mix).map { prompt, name in
                var prompt = prompt
                prompt.adapter = name
                return prompt
            })
    }

    private func measure(_ prompts: [BenchPrompt], _ run: LocalRun, _ progress: StatusLine) async -> LoadReport {
        let driver = LoadDriver(
            arrivals: Array(repeating: 0, count: prompts.count), maxConcurrency: requests.maxConcurrency)
        let (records, seconds) = await driver.run { index, start in
            do { return try await run.request(prompts[index], start: start) } catch {
                var record = RequestRecord(sent: Format.seconds(.now - start), adapter: prompts[index].adapter)
                record.failure = "\(error)"
                return record
            }
        } progress: { finished in
            progress.show("\(finished) of \(prompts.count) requests done")
        }
        return LoadReport(records: records, seconds: seconds)
    }
}

extension LoadReport {
    /// The result in vLLM's one line, below what was measured.
    fileprivate func summary(_ terminal: Terminal, name: String, model: ModelInformation) -> String {
        """
        \(terminal.bold(name)) · \(model.summary)
        \(text(terminal))Throughput: \(Format.fixed(rate(succeeded.count), 2)) requests/s, \
        \(Format.fixed(rate(inputTokens + outputTokens), 2)) total tokens/s, \
        \(Format.fixed(rate(outputTokens), 2)) output tokens/s

        """
    }

    /// With the fields of `vllm bench throughput` first.
    fileprivate func throughputJSON(name: String, model: ModelInformation, machine: BenchMachine) -> JSONObject {
        var object = model.json(name: name)
        let total: JSONObject = [
            "elapsed_time": .double(seconds), "num_requests": .int(records.count),
            "total_num_tokens": .int(inputTokens + outputTokens),
            "requests_per_second": .double(rate(succeeded.count)),
            "tokens_per_second": .double(rate(inputTokens + outputTokens)),
        ]
        for (key, value) in total { object[key] = value }
        for (key, value) in json(isDetailed: false) { object[key] = value }
        for (key, value) in machine.json { object[key] = value }
        return object
    }
}
