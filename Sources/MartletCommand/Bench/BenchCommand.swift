import ArgumentParser
import Checkpoints
import Compute
import Engine
import SyntheticModels

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// `martlet bench`: how fast a model runs here.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure prefill and decode speed.",
        discussion: """
            Measures through the whole engine: prefill as prompt tokens in a second of one long prompt, decode as \
            tokens in a second of a batch of requests that all generate. Each number is the median of the repeats. \
            Beside decode stands the limit that the memory sets: the bytes of the weights against what all cores \
            together read in a second, measured right before. --shape makes a model of random weights in the temporary \
            folder (1b: 2.5 GB) and removes it again.

            EXAMPLES
              martlet bench
              martlet bench ~/models/llama --batch 1 --batch 8 --batch 32
              martlet bench --shape 1b --dtype bfloat16 --json
            """)

    /// Shapes of models with random weights.
    enum ShapeArgument: String, ExpressibleByArgument, CaseIterable {
        case demo
        case smol = "135m"
        case oneBillion = "1b"

        var shape: RandomModel.Shape? {
            switch self {
            case .demo: nil
            case .smol: .smol
            case .oneBillion: .oneBillion
            }
        }
    }

    @OptionGroup var model: ModelArguments

    @Option(help: "Measure random weights of this shape instead of a model; demo is the demo model itself.")
    var shape: ShapeArgument?

    @Option(parsing: .upToNextOption, help: ArgumentHelp("Batch sizes for decode.", valueName: "count"))
    var batch: [Int] = [1, 8, 32]

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

    @Option(
        name: .customLong("max-num-batched-tokens"),
        help: ArgumentHelp("Most tokens in one step, over all sequences.", valueName: "tokens"))
    var maxBatchedTokens = TokenCount(EngineConfiguration().maxBatchedTokens)

    @Option(help: "Arithmetic of weights and KV cache; auto is the checkpoint's own.")
    var dtype: DTypeArgument = .auto

    @Option(help: ArgumentHelp("Threads for the arithmetic; the default is one for each core.", valueName: "count"))
    var threads: Int?

    @Flag(help: "Write one JSON object.")
    var json = false

    func validate() throws {
        guard shape == nil || model.model == nil else { throw ValidationError("Give either a model or --shape.") }
        guard !batch.isEmpty, batch.allSatisfy({ (1...1024).contains($0) }) else {
            throw ValidationError("--batch must be from 1 to 1024.")
        }
        guard promptTokens >= 1, decodePromptTokens >= 1, outputTokens >= 2, (1...1000).contains(repeats) else {
            throw ValidationError("Lengths must be at least 1, --output-tokens at least 2, --repeats from 1 to 1000.")
        }
    }

    func engineConfiguration(model: String?) -> EngineConfiguration {
        var configuration = EngineConfiguration(model: model)
        configuration.dtype = dtype.dtype
        configuration.threads = threads
        configuration.maxSequences = batch.max() ?? 1
        // What one round computed must not make the next one faster.
        configuration.enablesPrefixCaching = false
        configuration.maxBatchedTokens = maxBatchedTokens.tokens
        configuration.maxModelLength = max(promptTokens + 1, decodePromptTokens + outputTokens)
        return configuration
    }

    func run() async throws {
        let progress = StatusLine()
        defer { progress.clear() }
        let coreCount = threads ?? CPUInfo.current.coreCount
        progress.show("Measuring memory")
        let bandwidth = MemoryProbe.readBandwidth(threads: coreCount)
        let llm = try await load(progress)
        let measurement = BenchMeasurement(engine: llm.engine, command: self)
        var report = BenchReport(
            name: shape?.rawValue ?? model.model ?? "demo", model: llm.engine.model, threads: coreCount,
            kernels: CPUInfo.current.kernelSet, bandwidth: bandwidth)
        report.prefill = try await measurement.prefill(progress)
        for size in batch { report.decode.append(try await measurement.decode(batch: size, progress)) }
        progress.clear()
        Terminal.output.write(
            json ? JSONValue.object(report.json).compactText + "\n" : report.text(.output))
        llm.engine.shutdown()
    }

    private func load(_ progress: StatusLine) async throws -> LLM {
        guard let shape = shape?.shape else {
            progress.clear()
            return try await LLM.loadShowingProgress(engineConfiguration(model: model.model))
        }
        progress.show("Writing random weights")
        let folder = try RandomModel(shape: shape).write()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        progress.clear()
        return try await LLM.loadShowingProgress(engineConfiguration(model: folder))
    }
}

/// One line on the terminal that says what goes on; nothing where standard error is not a terminal.
struct StatusLine {
    private let terminal = Terminal.error

    func show(_ text: String) {
        if terminal.isInteractive { terminal.write("\r\u{1B}[K" + terminal.dim(text + " …")) }
    }

    func clear() {
        if terminal.isInteractive { terminal.write("\r\u{1B}[K") }
    }
}
