import ArgumentParser
import Checkpoints
import Engine

/// `martlet bench overview`: prefill and decode of a model, in a few lines.
struct OverviewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "overview",
        abstract: "Measure prefill and decode speed (the default).",
        discussion: """
            Measures through the whole engine: prefill as prompt tokens in a second of one long prompt, decode as \
            tokens in a second of a batch of requests that all generate. Each number is the median of the repeats. \
            Beside decode stands the limit that the memory sets: the bytes of the weights against what all cores \
            together read in a second. --shape makes a model of random weights in the temporary folder (1b: 2.5 GB) and \
            removes it again.

            EXAMPLES
              martlet bench
              martlet bench ~/models/llama --batch 1 8 32
              martlet bench --shape 1b --dtype bfloat16 --json -
            """)

    @OptionGroup var options: BenchModelOptions

    @Option(
        name: .customLong("batch"), parsing: .upToNextOption,
        help: ArgumentHelp("Batch sizes for decode.", valueName: "count"))
    var batchSizes: [Int] = [1, 8, 32]

    @Option(
        name: .customLong("prompt-tokens"), help: ArgumentHelp("Length of the prompt for prefill.", valueName: "count"))
    var promptTokens = 512

    @Option(
        name: .customLong("decode-prompt-tokens"),
        help: ArgumentHelp("Length of each prompt for decode.", valueName: "count"))
    var decodePromptTokens = 128

    @Option(
        name: .customLong("output-tokens"),
        help: ArgumentHelp("Tokens that each request generates.", valueName: "count"))
    var outputTokens = 64

    @Option(help: ArgumentHelp("Repeats of each measurement.", valueName: "count"))
    var repeats = 3

    @OptionGroup(title: "Results") var output: BenchOutput

    func validate() throws {
        guard !batchSizes.isEmpty, batchSizes.allSatisfy({ (1...1024).contains($0) }) else {
            throw ValidationError("--batch must be from 1 to 1024.")
        }
        guard promptTokens >= 1, decodePromptTokens >= 1, outputTokens >= 2, (1...1000).contains(repeats) else {
            throw ValidationError("Lengths must be at least 1, --output-tokens at least 2, --repeats from 1 to 1000.")
        }
    }

    func engineConfiguration() throws -> EngineConfiguration {
        var configuration = try options.configuration()
        configuration.maxSequences = batchSizes.max() ?? 1
        // What one round computed must not make the next one faster.
        configuration.enablesPrefixCaching = false
        configuration.maxModelLength =
            configuration.maxModelLength ?? max(promptTokens + 1, decodePromptTokens + outputTokens)
        return configuration
    }

    func run() async throws {
        let progress = StatusLine()
        defer { progress.clear() }
        var machine = BenchMachine(threads: options.engine.threads)
        machine.probeBefore(progress)
        let llm = try await options.load(try engineConfiguration(), progress)
        let measurement = OverviewMeasurement(engine: llm.engine, command: self)
        let prefill = try await measurement.prefill(progress)
        var decode: [OverviewReport.Sample] = []
        for size in batchSizes { decode.append(try await measurement.decode(batch: size, progress)) }
        machine.probeAfter(progress)
        progress.clear()
        let report = OverviewReport(
            name: options.name, model: llm.engine.model, machine: machine, prefill: prefill, decode: decode)
        try output.write {
            report.text($0)
        } json: {
            report.json
        }
        llm.engine.shutdown()
    }
}
