import Checkpoints

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Where the demo model's files are: a small trained model, adapters for it, and what they answer.
///
/// The files travel in a folder beside the program (`martlet_DemoModel.resources`), so that a moved or installed program
/// finds them; SwiftPM's own `Bundle.module` would end the process where they are missing.
package struct DemoModelFolder: Sendable, Equatable {
    /// The folder that holds everything.
    package let path: String

    /// The base model: a checkpoint folder.
    package var base: String { path + "/base" }
    /// A folder with one PEFT adapter in each of its folders.
    package var adapters: String { path + "/adapters" }
    /// Prompts and the exact greedy outputs, one JSON object in each line.
    package var examples: String { path + "/examples.jsonl" }
    /// A walk-through: one system prompt, questions, a prompt or two for each adapter.
    package var prompts: String { path + "/demo-prompts.json" }

    /// The environment variable that names another place for the folder.
    package static let variable = "MARTLET_DEMO_MODEL"
    static let folderNames = ["martlet_DemoModel.resources", "martlet_DemoModel.bundle"]
    private static let requiredFiles = ["base/config.json", "base/model.safetensors", "base/tokenizer.json"]

    /// Finds the folder: where `MARTLET_DEMO_MODEL` says, else beside the program, else in `../share/martlet/demo`.
    ///
    /// - Parameters:
    ///   - program: path of the running program, links resolved.
    ///   - arguments: the command line, where a test runner names the test bundle that it loads.
    package static func locate(
        environment: [String: String] = ProcessInfo.processInfo.environment, program: String = programPath(),
        arguments: [String] = CommandLine.arguments
    ) throws(CheckpointError) -> DemoModelFolder {
        if let path = environment[variable], !path.isEmpty {
            let missing = missingFiles(path)
            guard missing.isEmpty else {
                throw CheckpointError(
                    .missing, file: path,
                    "\(variable) names this folder, but it lacks \(missing.joined(separator: ", "))")
            }
            return DemoModelFolder(path: path)
        }
        let places = candidates(program: program, arguments: arguments)
        if let path = places.first(where: { missingFiles($0).isEmpty }) { return DemoModelFolder(path: path) }
        if let partial = places.first(where: { MappedFile.isFolder($0) == true }) {
            throw CheckpointError(
                .missing, file: partial,
                "the demo model lacks \(missingFiles(partial).joined(separator: ", "))",
                advice: "build or install Martlet again")
        }
        throw CheckpointError(
            .missing, file: "demo model", "its folder was not found; looked for " + places.joined(separator: ", "),
            advice: "keep \(folderNames[0]) beside the program, set \(variable) to it, or name another model")
    }

    private static func missingFiles(_ path: String) -> [String] {
        requiredFiles.filter { !FileManager.default.fileExists(atPath: path + "/" + $0) }
    }

    private static func candidates(program: String, arguments: [String]) -> [String] {
        let home = parent(of: program)
        var places = folderNames.map { home + "/" + $0 }
        places.append(parent(of: home) + "/share/martlet/demo")
        for argument in arguments {
            guard let end = argument.firstRange(of: ".xctest")?.upperBound else { continue }
            let bundle = String(argument[..<end])
            places += folderNames.map { parent(of: bundle) + "/" + $0 }
        }
        return places
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return String(path[..<slash])
    }

    /// Path of the running program, links resolved.
    package static func programPath() -> String {
        let name =
            FileManager.default.fileExists(atPath: "/proc/self/exe") ? "/proc/self/exe" : CommandLine.arguments.first
        guard let resolved = realpath(name ?? "", nil) else { return CommandLine.arguments.first ?? "" }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
