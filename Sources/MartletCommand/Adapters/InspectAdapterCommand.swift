import Adapters
import ArgumentParser
import Checkpoints
import DemoModel
import Engine
import Models
import NIOHTTP1

/// `martlet adapters inspect`: reads an adapter as a server would, and shows what it found.
struct InspectAdapterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Check an adapter against a model and show what it changes.",
        discussion: """
            Reads the whole adapter: every tensor must fit the model, and every field must be understood. Ends with \
            status 1 and the reason when something is wrong. Of the model only config.json is read. With --url the \
            argument is the name of an adapter of a running server, which tells what it knows of it.

            EXAMPLES
              martlet adapters inspect ~/adapters/sql --model ~/models/llama
              martlet adapters inspect ORG/ADAPTER --model ORG/MODEL --json
              martlet adapters inspect sql --url http://127.0.0.1:8000
            """)

    @Argument(help: ArgumentHelp("Adapter folder, or ORG/NAME[@REVISION] in the HuggingFace cache.", valueName: "path"))
    var path: String

    @Option(name: [.long, .short], help: "The model that it is for; the default is the demo.")
    var model: String?

    @Flag(help: "Write one JSON object.")
    var json = false

    @Option(help: ArgumentHelp("Ask this running server about an adapter that it has.", valueName: "url"))
    var url: String?

    @Option(
        name: .customLong("api-key"),
        help: ArgumentHelp("Key of that server; also in the variable MARTLET_ADMIN_KEY.", valueName: "key"))
    var apiKey: String?

    func validate() throws {
        guard url == nil || model == nil else { throw ValidationError("--url and --model do not go together.") }
    }

    func run() async throws {
        if let url { return try await inspect(url) }
        let report = try report()
        if json {
            Terminal.output.write(JSONValue.object(report.json).compactText + "\n")
        } else {
            Terminal.output.write(report.text(.output))
        }
    }

    private func inspect(_ url: String) async throws {
        var remote = RemoteOptions()
        (remote.url, remote.apiKey, remote.json) = (url, apiKey, json)
        try await remote.run(.GET, "/v1/adapters/" + ServerAddress.escaped(path)) { AdapterTable.details($0, .output) }
    }

    private func report() throws -> AdapterReport {
        let folder = try AdapterLocation.resolve(path)
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
