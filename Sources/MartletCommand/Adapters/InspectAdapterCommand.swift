import Adapters
import ArgumentParser
import Checkpoints
import DemoModel
import Models

/// `martlet adapters inspect`: reads an adapter as a server would, and shows what it found.
struct InspectAdapterCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Check an adapter against a model and show what it changes.",
        discussion: """
            Reads the whole adapter: every tensor must fit the model, and every field must be understood. Ends with \
            status 1 and the reason when something is wrong. Of the model only config.json is read.

            EXAMPLES
              martlet adapters inspect ~/adapters/sql --model ~/models/llama
              martlet adapters inspect ORG/ADAPTER --model ORG/MODEL --json
            """)

    @Argument(help: ArgumentHelp("Adapter folder, or ORG/NAME[@REVISION] in the HuggingFace cache.", valueName: "path"))
    var path: String

    @Option(name: [.long, .short], help: "The model that it is for; the default is the demo.")
    var model: String?

    @Flag(help: "Write one JSON object.")
    var json = false

    func run() throws {
        let report = try report()
        if json {
            Terminal.output.write(JSONValue.object(report.json).compactText + "\n")
        } else {
            Terminal.output.write(report.text(.output))
        }
    }

    private func report() throws -> AdapterReport {
        let folder =
            MappedFile.isFolder(path) == true
            ? path : try ModelLocation.resolve(path, required: "adapter_config.json")
        let base = try model.map { try ModelLocation.resolve($0) } ?? DemoModelFolder.locate().base
        let catalog = try ModelRegistry.catalog(folder: base)
        do {
            return AdapterReport(path: path, adapter: try AdapterLoader.load(folder: folder, catalog: catalog))
        } catch {
            guard model == nil, error.kind == .mismatch else { throw error }
            throw CommandError("\(error)\nIt was checked against the demo model; --model MODEL names another one.")
        }
    }
}
