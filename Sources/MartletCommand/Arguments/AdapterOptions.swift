import ArgumentParser
import Checkpoints
import DemoModel
import Engine

/// `--adapter` and vLLM's `--lora-modules`: adapters that are loaded at the start.
struct AdapterOptions: ParsableArguments {
    @Option(
        name: .customLong("adapter"),
        help: ArgumentHelp(
            "Adapter to load, under a name: a folder as PEFT saves it, or ORG/NAME[@REVISION] in the HuggingFace cache. May be given several times.",
            valueName: "name=path"))
    var adapters: [NamedAdapter] = []

    @Option(
        name: .customLong("lora-modules"), parsing: .upToNextOption,
        help: ArgumentHelp(
            "The same in vLLM's forms: name=path, or {\"name\":…,\"path\":…}, several after one flag.",
            valueName: "module"))
    var modules: [NamedAdapter] = []

    /// Loads all of them; the first that fails ends the program with its reason.
    func load(into engine: InferenceEngine) async throws {
        for adapter in adapters + modules {
            do {
                try await engine.adapters.load(adapter.name, path: adapter.path)
            } catch {
                throw CommandError("\(error)")
            }
        }
    }
}

/// `name=path`, or vLLM's JSON object.
struct NamedAdapter: ExpressibleByArgument, Equatable {
    let name: String
    let path: String

    init(name: String, path: String) {
        self.name = name
        self.path = path
    }

    init?(argument: String) {
        if argument.hasPrefix("{") {
            guard let json = try? JSONValue(parsing: argument), let name = json["name"]?.string,
                let path = json["path"]?.string, !name.isEmpty, !path.isEmpty
            else { return nil }
            self.init(name: name, path: path)
        } else {
            guard let equals = argument.firstIndex(of: "="), equals > argument.startIndex else { return nil }
            let path = String(argument[argument.index(after: equals)...])
            guard !path.isEmpty else { return nil }
            self.init(name: String(argument[..<equals]), path: path)
        }
    }
}

/// Adapters that a person asks for: a name that was loaded at the start, a folder, an adapter of the demo model, or a name
/// in the HuggingFace cache.
struct AdapterChoice: Sendable {
    let llm: LLM
    /// Whether the model is the demo, which brings adapters of its own.
    let isDemo: Bool

    /// Sees to it that the adapter is loaded; its argument is its name from then on.
    func load(_ argument: String) async throws {
        guard !llm.adapters.contains(argument) else { return }
        let path = try path(argument)
        do {
            try await llm.adapters.load(argument, path: path)
        } catch {
            // Another prompt may have been faster.
            if !llm.adapters.contains(argument) { throw CommandError("\(error)") }
        }
    }

    private func path(_ argument: String) throws -> String {
        if isDemo, !argument.contains("/"), let demo = try? DemoModelFolder.locate().adapters {
            let path = demo + "/" + argument
            if MappedFile.isFolder(path) == true { return path }
        }
        guard AdapterLocation.mayBePath(argument) else {
            throw CommandError(
                "There is no adapter '\(argument)': name a folder, or ORG/NAME in the HuggingFace cache.")
        }
        return argument
    }
}
