import Checkpoints
import Compute
import DemoModel
import Models

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// What `martlet doctor` finds.
struct DoctorReport {
    let machine: CPUInfo
    /// The demo model's folder, or why it was not found.
    let demo: Result<String, CheckpointError>
    let hub: HubCache
    /// The model that was asked about (the demo without one), or why it cannot be read.
    let model: Result<ModelFit, CommandError>?
    /// Bytes that all cores together read in a second, where it was measured.
    let bandwidth: Double?

    /// The HuggingFace cache folder on this machine.
    struct HubCache: Equatable {
        let path: String
        /// Names `org/model`, sorted; nil where the folder does not exist.
        let models: [String]?

        init(path: String) {
            self.path = path
            let entries = try? FileManager.default.contentsOfDirectory(atPath: path)
            models = entries?.filter { $0.hasPrefix("models--") }
                .map { String($0.dropFirst("models--".count)).replacing("--", with: "/") }.sorted()
        }
    }

    /// What keeps Martlet from working as asked; empty when all is well.
    var problems: [String] {
        var problems: [String] = []
        if case .failure(let error) = demo { problems.append("\(error)") }
        switch model {
        case .failure(let error)?: problems.append(error.description)
        case .success(let fit)?: problems += [fit.problem].compactMap(\.self)
        case nil: break
        }
        return problems
    }
}

// MARK: Output

extension DoctorReport {
    /// The report for people.
    func text(_ terminal: Terminal) -> String {
        var lines = [terminal.bold("Machine")]
        lines += [
            row("processor", machine.brand),
            row("features", machine.features.isEmpty ? "none that matter" : machine.features.joined(separator: " ")),
            row("kernels", "\(machine.kernelSet) (available: \(machine.availableKernelSets.joined(separator: ", ")))"),
            row("cores", "\(machine.coreCount)"),
            row(
                "memory",
                "\(Format.bytes(machine.physicalMemory)), \(Format.bytes(machine.availableMemory)) available"),
        ]
        if let bandwidth { lines.append(row("memory reads", "\(Format.fixed(bandwidth / 1e9, 1)) GB/s on all cores")) }
        lines += ["", terminal.bold("Models")]
        switch demo {
        case .success(let path): lines.append(row("demo model", path))
        case .failure: lines.append(row("demo model", terminal.red("not found")))
        }
        let models = hub.models.map { $0.isEmpty ? "no models" : $0.joined(separator: ", ") } ?? "does not exist"
        lines.append(row("HuggingFace", "\(hub.path) (\(models))"))
        if case .success(let fit)? = model { lines += ["", terminal.bold(fit.argument)] + self.lines(fit) }
        lines.append("")
        lines += problems.isEmpty ? [terminal.green("All is well.")] : problems.map { terminal.red("Problem: ") + $0 }
        return lines.joined(separator: "\n") + "\n"
    }

    private func lines(_ fit: ModelFit) -> [String] {
        let sequences = Double(fit.cacheTokens) / Double(max(1, fit.maxPositions))
        var lines = [
            row("folder", fit.folder),
            row("architecture", "\(fit.architecture), \(Format.parameters(fit.parameterCount)) parameters"),
            row("weights", "\(Format.bytes(fit.weightBytes)) as \(fit.weightType)"),
            row("KV cache", "\(Format.bytes(fit.cacheBytesPerToken)) for each token"),
            row(
                "fits",
                "\(Format.grouped(fit.cacheTokens)) tokens of cache by default, "
                    + "\(Format.fixed(sequences, sequences < 10 ? 1 : 0)) sequences of "
                    + "\(Format.grouped(fit.maxPositions)) tokens"),
        ]
        if let bandwidth {
            let limit = bandwidth / Double(max(1, fit.weightBytes))
            lines.append(
                row("decode", "at most about \(Format.rate(limit)) tok/s for one request (memory reads / weights)"))
        }
        return lines
    }

    private func row(_ name: String, _ value: String) -> String {
        "  " + name + String(repeating: " ", count: max(1, 14 - name.count)) + value
    }

    /// The report for programs.
    var json: JSONObject {
        var object: JSONObject = [
            "processor": .string(machine.brand),
            "features": .array(machine.features.map(JSONValue.string)),
            "kernels": .string(machine.kernelSet),
            "available_kernels": .array(machine.availableKernelSets.map(JSONValue.string)),
            "cores": .int(machine.coreCount),
            "memory_bytes": .int(machine.physicalMemory),
            "available_memory_bytes": .int(machine.availableMemory),
        ]
        object["memory_read_bytes_per_second"] = bandwidth.map { .double($0.rounded()) }
        if case .success(let path) = demo { object["demo_model"] = .string(path) } else { object["demo_model"] = .null }
        object["huggingface_cache"] = .string(hub.path)
        object["huggingface_models"] = hub.models.map { .array($0.map(JSONValue.string)) } ?? .null
        if case .success(let fit)? = model { object["model"] = .object(json(fit)) }
        object["problems"] = .array(problems.map(JSONValue.string))
        return object
    }

    private func json(_ fit: ModelFit) -> JSONObject {
        [
            "argument": .string(fit.argument),
            "folder": .string(fit.folder),
            "architecture": .string(fit.architecture),
            "supported": .bool(fit.isSupported),
            "parameters": .int(fit.parameterCount),
            "dtype": .string(fit.dtype.rawValue),
            "quantization": .string(fit.quantization.rawValue),
            "weight_bytes": .int(fit.weightBytes),
            "cache_bytes_per_token": .int(fit.cacheBytesPerToken),
            "cache_tokens": .int(fit.cacheTokens),
            "max_positions": .int(fit.maxPositions),
        ]
    }
}
