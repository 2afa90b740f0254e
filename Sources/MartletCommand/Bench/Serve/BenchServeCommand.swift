import ArgumentParser
import Checkpoints
import SyntheticModels

/// `martlet bench serve`: load for a running server.
struct BenchServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Measure a running OpenAI-compatible server under load.",
        discussion: """
            Sends streamed requests as they arrive and measures their latencies from sending; flags and results as in `vllm \
            bench serve`. Random prompts go out as token ids, to a chat as common words, about one token each. With an \
            infinite rate all requests are sent at once.

            EXAMPLES
              martlet bench serve --num-prompts 32 --input-len 128 --output-len 128
              martlet bench serve --request-rate 4 --num-prompts 200 --goodput ttft:500 tpot:50
              martlet bench serve --max-concurrency 8 --prefix-len 1000 --input-len 24 --json -
              martlet bench serve --adapters sql:3,pirate,martlet-demo --dataset prompts.jsonl
            """)

    @OptionGroup(title: "Server") var target: LoadTarget
    @OptionGroup(title: "Requests") var requests: PromptOptions

    @Option(
        name: .customLong("request-rate"),
        help: ArgumentHelp("Requests in a second; inf sends all at once.", valueName: "rate"))
    var rate = Double.infinity

    @Option(
        help: ArgumentHelp(
            "Evenness of arrivals: 1 is a Poisson process, less comes in bursts, more is evener.", valueName: "shape"))
    var burstiness = 1.0

    @Option(
        name: .customLong("num-warmups"),
        help: ArgumentHelp("Requests with other prompts that run before and do not count.", valueName: "count"))
    var warmups = 0

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Limits that good requests keep, in milliseconds: ttft, tpot, e2el.", valueName: "metric:ms")
    )
    var goodput: [ServiceLevel] = []

    @Option(
        name: .customLong("metric-percentiles"),
        help: ArgumentHelp("Percentiles to report, separated by commas.", valueName: "list"))
    var percentiles = "90,99"

    @Flag(name: .customLong("save-detailed"), help: "Add the values of every request to the JSON.")
    var isDetailed = false

    @OptionGroup(title: "Results") var output: BenchOutput

    func validate() throws {
        guard rate > 0 else { throw ValidationError("--request-rate must be above 0, or inf.") }
        guard burstiness > 0, burstiness.isFinite else { throw ValidationError("--burstiness must be above 0.") }
        guard (0...100_000).contains(warmups) else { throw ValidationError("--num-warmups must be at least 0.") }
        guard percents.count == percentiles.split(separator: ",", omittingEmptySubsequences: false).count,
            percents.allSatisfy({ (0...100).contains($0) })
        else { throw ValidationError("--metric-percentiles: '\(percentiles)' are not numbers from 0 to 100.") }
    }

    private var percents: [Double] { percentiles.split(separator: ",").compactMap { Double($0) } }

    func run() async throws {
        let progress = StatusLine()
        defer { progress.clear() }
        let prompts = try requests.prompts(vocabularySize: target.vocabularySize, mix: requests.adapters)
        let client = try await target.client(isRandom: requests.dataset == nil)
        try check(prompts, client)
        try await prepare(client, progress)
        var machine = isLocal(client) ? BenchMachine(threads: nil) : nil
        machine?.probeBefore(progress)
        let report = await measure(prompts, client, progress)
        machine?.probeAfter(progress)
        progress.clear()
        try output.write { terminal in
            (machine?.text(terminal) ?? "") + report.text(terminal)
        } json: {
            json(report, client, machine)
        }
        if report.succeeded.isEmpty { throw CommandError("All requests failed.") }
    }

    /// Whether the server shares this machine, so that what the machine reads belongs to the result.
    private func isLocal(_ client: LoadClient) -> Bool {
        ["127.0.0.1", "::1", "localhost"].contains(client.client.address.host)
    }

    private func check(_ prompts: [BenchPrompt], _ client: LoadClient) throws {
        let hasChats = prompts.contains { if case .chat = $0.content { true } else { false } }
        guard client.isChat || !hasChats else {
            throw ValidationError("The file has messages: measure chats with --backend openai-chat.")
        }
    }

    /// One request shows whether the server can answer at all; the warm-up follows.
    private func prepare(_ client: LoadClient, _ progress: StatusLine) async throws {
        progress.show("Asking the server")
        let trial = await client.request(BenchPrompt(content: .text("Hello"), outputTokens: 4), start: .now)
        if let failure = trial.failure {
            throw CommandError("\(client.client.address) does not answer a request: \(failure)")
        }
        progress.show("Warming up")
        let prompts = RandomPrompts(
            inputLength: requests.inputLength.tokens, outputLength: requests.outputLength.tokens,
            vocabularySize: target.vocabularySize, seed: requests.seed &+ 0xAA
        ).prompts(count: warmups)
        let driver = LoadDriver(
            arrivals: Array(repeating: 0, count: warmups), maxConcurrency: requests.maxConcurrency)
        _ = await driver.run { index, start in await client.request(prompts[index], start: start) }
    }

    private func measure(
        _ prompts: [BenchPrompt], _ client: LoadClient, _ progress: StatusLine
    ) async -> LoadReport {
        var generator = SplitMix64(state: requests.seed)
        let driver = LoadDriver(
            arrivals: ArrivalTimes.draw(count: prompts.count, rate: rate, burstiness: burstiness, using: &generator),
            maxConcurrency: requests.maxConcurrency)
        let (records, seconds) = await driver.run { index, start in
            await client.request(prompts[index], start: start)
        } progress: { finished in
            progress.show("\(finished) of \(prompts.count) requests done")
        }
        return LoadReport(records: records, seconds: seconds, levels: goodput, percentiles: percents)
    }

    private func json(_ report: LoadReport, _ client: LoadClient, _ machine: BenchMachine?) -> JSONObject {
        var object: JSONObject = [
            "endpoint_type": .string(target.backend.rawValue), "model_id": .string(client.model),
            "num_prompts": .int(report.records.count), "request_rate": rate.isFinite ? .double(rate) : "inf",
            "burstiness": .double(burstiness), "max_concurrency": requests.maxConcurrency.map(JSONValue.int) ?? .null,
        ]
        for (key, value) in report.json(isDetailed: isDetailed) { object[key] = value }
        for (key, value) in machine?.json ?? [:] { object[key] = value }
        return object
    }
}
