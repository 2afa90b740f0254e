import Checkpoints
import Engine

/// Which adapters a request asks for: by its `model`, or by `adapters`, a list of names or of objects with `name`,
/// `scale` and `task_id`. `adapter_strict` says what becomes of a prompt that does not invoke an Activated LoRA.
package struct AdapterFields: Sendable, Equatable {
    package var selections: [AdapterSelection] = []
    /// Whether a prompt that does not invoke an adapter is refused; nil is as the server has it.
    package private(set) var isStrict: Bool?

    /// The adapter that `model` names.
    package private(set) var modelName: String?

    /// Most adapters of one request.
    private static let limit = 16

    package init() {}

    /// - Parameter isAdapter: whether an adapter of this name can be had.
    package init(
        _ fields: Fields, _ information: ModelInformation, isAdapter: (String) -> Bool
    ) throws(APIError) {
        let model = try fields.string("model")
        isStrict = try fields.bool("adapter_strict")
        if let model, !information.servedNames.contains(model), isAdapter(model) {
            selections = [AdapterSelection(model)]
            modelName = model
        } else {
            try information.checkName(model)
        }
        guard let listed = try fields.array("adapters") else { return }
        guard selections.isEmpty else {
            throw .badRequest(
                "adapters: `model` names an adapter already; name the base model there", parameter: "adapters")
        }
        guard listed.count <= Self.limit else {
            throw .badRequest(
                "adapters: at most \(Self.limit) may be listed, got \(listed.count)", parameter: "adapters")
        }
        for (position, value) in listed.enumerated() {
            let selection = try Self.selection(value, path: "adapters[\(position)]")
            guard isAdapter(selection.name) else {
                throw .notFound(
                    "adapters[\(position)]: the adapter \(APIError.quoted(selection.name)) does not exist.",
                    parameter: "adapters")
            }
            selections.append(selection)
        }
    }

    /// Bound of the token ids that a request may name, as far as it can be known before adapters are loaded.
    ///
    /// Adapters may bring tokens of their own; the engine, which has them by then, checks against their exact number.
    func vocabularyBound(_ information: ModelInformation) -> Int {
        selections.isEmpty ? information.vocabularySize : Int(Int32.max)
    }

    private static func selection(_ value: JSONValue, path: String) throws(APIError) -> AdapterSelection {
        if let name = value.string { return AdapterSelection(name) }
        let fields = try Fields(value, path: path)
        guard let name = try fields.string("name") else {
            throw .badRequest("\(path).name: the field is required", parameter: "\(path).name")
        }
        return AdapterSelection(name, scale: try fields.number("scale") ?? 1, task: try fields.integer("task_id"))
    }
}
