import Adapters
import Checkpoints
import Testing

/// An adapter of `Tools/adapters` with what PEFT makes of it.
struct AdapterCase: CustomTestStringConvertible {
    let name: String
    let model: String
    /// Names of the parameters that change when PEFT merges the adapter.
    let changed: Set<String>

    var testDescription: String { name }
    var folder: String { Folders.adapter(name) }

    static let all: [AdapterCase] = {
        guard let object = (try? Folders.json(Folders.fixtures + "/cases.json"))?.object else { return [] }
        return object.map { name, value in
            AdapterCase(
                name: name, model: value["model"]?.string ?? "",
                changed: Set((value["changed"]?.array ?? []).compactMap(\.string)))
        }
    }()

    func load() throws -> LoadedAdapter {
        try AdapterLoader.load(folder: folder, catalog: try Folders.catalog(model))
    }

    /// Tensors that PEFT computed, by name.
    func expected() throws -> [String: Matrix] { try Matrix.all(folder + "/expected.safetensors") }
}
