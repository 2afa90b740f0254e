import ArgumentParser
import Checkpoints
import DemoModel
import Engine

/// `--adapter` and vLLM's `--lora-modules`: adapters that are loaded at the start.
struct AdapterOptions: ParsableArguments {
    @Option(
        name: .customLong("adapter"),
        help: ArgumentHelp(
            "Adapter to load, under a name: a folder as PEFT saves it. May be given several times.",
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

/// One adapter that a person asks for: a name that was loaded at the start, a folder, or an adapter of the demo model.
struct AdapterChoice {
    let llm: LLM

    /// The name under which the adapter is loaded now.
    func load(_ argument: String, isDemo: Bool) async throws -> String {
        if llm.adapters[argument] != nil { return argument }
        let demo = isDemo && !argument.contains("/") ? try? DemoModelFolder.locate().adapters : nil
        let path = demo.map { $0 + "/" + argument } ?? argument
        guard MappedFile.isFolder(path) == true else {
            throw CommandError(
                "There is no adapter '\(argument)': name a folder, or load one with --adapter name=path.")
        }
        do {
            try await llm.adapters.load(argument, path: path)
        } catch {
            throw CommandError("\(error)")
        }
        return argument
    }
}
