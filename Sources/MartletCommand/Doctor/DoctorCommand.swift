import ArgumentParser
import Checkpoints
import Compute
import DemoModel
import Models

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// `martlet doctor`: what this machine offers, and what fits.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Show what this machine offers, and whether a model fits.",
        discussion: """
            Looks at processor, kernels, memory, the demo model and the HuggingFace cache, and works out the memory \
            that a model needs (the demo, if none is named) without loading it. Ends with status 1 when it finds a \
            problem.

            EXAMPLES
              martlet doctor
              martlet doctor ~/models/llama --dtype float32
              martlet doctor --json
            """)

    @OptionGroup var model: ModelArguments

    @Option(help: "Arithmetic to reckon with; auto is the checkpoint's own.")
    var dtype: DTypeArgument = .auto

    @Option(help: "Weights of linear layers to reckon with.")
    var quantization: QuantizationArgument = .none

    @Option(
        name: .customLong("kv-cache-dtype"),
        help: "How the cache would hold keys and values: as the weights (auto), or float32, bfloat16, int8.")
    var cacheDType: CacheDTypeArgument = .auto

    @Flag(help: "Write one JSON object.")
    var json = false

    func run() throws {
        let report = report()
        if json {
            Terminal.output.write(JSONValue.object(report.json).compactText + "\n")
        } else {
            Terminal.output.write(report.text(.output))
        }
        guard report.problems.isEmpty else { throw ExitCode.failure }
    }

    private func report() -> DoctorReport {
        let machine = CPUInfo.current
        let demo = Result<String, CheckpointError> { () throws(CheckpointError) in try DemoModelFolder.locate().path }
        return DoctorReport(
            machine: machine, demo: demo,
            hub: DoctorReport.HubCache(path: ModelLocation.cacheFolder(ProcessInfo.processInfo.environment)),
            model: fit(machine, demo), bandwidth: MemoryProbe.readBandwidth(threads: machine.coreCount))
    }

    /// Nil when there is neither a model nor the demo.
    private func fit(_ machine: CPUInfo, _ demo: Result<String, CheckpointError>) -> Result<ModelFit, CommandError>? {
        do {
            guard let argument = model.model else {
                guard let folder = try? DemoModelFolder.locate().base else { return nil }
                return .success(try fit("Demo model", folder, machine))
            }
            return .success(try fit(argument, try ModelLocation.resolve(argument), machine))
        } catch {
            return .failure(CommandError("\(error)"))
        }
    }

    private func fit(_ argument: String, _ folder: String, _ machine: CPUInfo) throws -> ModelFit {
        try ModelFit(
            argument: argument, folder: folder, dtype: dtype.modelDType, quantization: quantization.modelQuantization,
            cacheDType: cacheDType.dtype,
            availableMemory: machine.availableMemory)
    }
}

extension QuantizationArgument {
    fileprivate var modelQuantization: Quantization {
        switch self {
        case .none: .none
        case .int8: .int8
        case .int4: .int4
        }
    }
}

extension DTypeArgument {
    fileprivate var modelDType: ModelDType {
        switch self {
        case .auto: .auto
        case .float32, .float: .float32
        case .bfloat16: .bfloat16
        }
    }
}
