import ArgumentParser
import Checkpoints
import Engine

/// `martlet bench latency`: one batch, again and again.
struct LatencyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "latency",
        abstract: "Measure the latency of one batch of requests.",
        discussion: """
            Sends a batch of requests with random tokens together and waits for all, several times; flags as in `vllm bench \
            latency`. The prefix cache is off. Beside the speed of decoding stands its part of what the memory \
            allows: the bytes that a step must read (the weights once, the keys and values of every request) in a \
            second, against what all cores together read, measured before and after.

            EXAMPLES
              martlet bench latency --batch-size 1 --input-len 512 --output-len 64
              martlet bench latency ~/models/llama --batch-size 8 --num-iters 10 --json latency.json
              martlet bench latency --shape 1b --batch-size 1 --output-len 32 --num-iters 3 --num-iters-warmup 1
            """)

    @OptionGroup var options: BenchModelOptions

    @Option(name: .customLong("batch-size"), help: ArgumentHelp("Requests in the batch.", valueName: "count"))
    var batchSize = 8

    @Option(name: .customLong("input-len"), help: ArgumentHelp("Length of each prompt.", valueName: "tokens"))
    var inputLength = TokenCount(32)

    @Option(
        name: .customLong("output-len"), help: ArgumentHelp("Tokens that each request generates.", valueName: "tokens"))
    var outputLength = TokenCount(128)

    @Option(
        name: .customLong("num-iters-warmup"), help: ArgumentHelp("Runs that do not count.", valueName: "count"))
    var warmups = 2

    @Option(name: .customLong("num-iters"), help: ArgumentHelp("Runs that count.", valueName: "count"))
    var iterations = 10

    @Option(help: ArgumentHelp("Seed of the prompts.", valueName: "number"))
    var seed: UInt64 = 0

    @OptionGroup(title: "Results") var output: BenchOutput

    func validate() throws {
        guard (1...65_536).contains(batchSize) else { throw ValidationError("--batch-size must be from 1 to 65536.") }
        guard inputLength.tokens >= 1, outputLength.tokens >= 1 else {
            throw ValidationError("--input-len and --output-len must be at least 1.")
        }
        guard (1...100_000).contains(iterations), (0...100_000).contains(warmups) else {
            throw ValidationError("--num-iters must be at least 1, --num-iters-warmup at least 0.")
        }
    }

    func engineConfiguration() throws -> EngineConfiguration {
        var configuration = try options.configuration()
        configuration.maxSequences = max(batchSize, configuration.maxSequences)
        configuration.maxQueuedRequests = max(batchSize, configuration.maxQueuedRequests)
        // What one run computed must not make the next one faster.
        configuration.enablesPrefixCaching = false
        configuration.maxModelLength = configuration.maxModelLength ?? inputLength.tokens + outputLength.tokens
        return configuration
    }

    func run() async throws {
        let progress = StatusLine()
        defer { progress.clear() }
        var machine = BenchMachine(threads: options.engine.threads)
        let llm = try await options.load(try engineConfiguration(), progress)
        machine.probeBefore(progress)
        var runs: [[RequestRecord]] = []
        for number in 0..<warmups + iterations {
            progress.show(
                number < warmups
                    ? "Warm-up \(number + 1) of \(warmups)" : "Run \(number - warmups + 1) of \(iterations)")
            let records = try await LocalRun(llm: llm).together(prompts(run: number, llm.engine.model))
            if number >= warmups { runs.append(records) }
        }
        machine.probeAfter(progress)
        progress.clear()
        let report = LatencyReport(
            name: options.name, model: llm.engine.model, machine: machine, inputLength: inputLength.tokens,
            outputLength: outputLength.tokens, runs: runs)
        try output.write {
            report.text($0)
        } json: {
            report.json
        }
        llm.engine.shutdown()
    }

    private func prompts(run: Int, _ model: ModelInformation) -> [BenchPrompt] {
        RandomPrompts(
            inputLength: inputLength.tokens, outputLength: outputLength.tokens, vocabularySize: model.vocabularySize,
            seed: seed &+ UInt64(run)
        ).prompts(count: batchSize)
    }
}
