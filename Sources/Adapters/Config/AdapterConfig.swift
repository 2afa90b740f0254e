import Checkpoints

/// What `adapter_config.json` says about every kind of adapter, checked.
///
/// Missing keys have PEFT's defaults. A key that is not known for the kind is refused unless its value says "not used"
/// (null, false, an empty list, object or text): a file that asks for something else is not served as if it had not.
package struct AdapterConfig: Sendable {
    package let fields: ConfigFields
    package let kind: AdapterKind
    /// Name or path of the model it was trained on: a hint only, shapes decide.
    package let baseModel: String?
    /// Version of PEFT that wrote the folder, where the file tells (since 0.18).
    package let peftVersion: String?
    let targets: ModuleSelection?
    let excluded: ModuleSelection?
    /// The layers that are changed, where the file limits them.
    let layers: Set<Int>?
    /// Whether a change of the embedding goes for a head that shares its weight too, and the other way round.
    let tiesWeights: Bool

    /// Reads `adapter_config.json` in `folder`.
    package init(folder: String) throws(CheckpointError) {
        let path = folder + "/adapter_config.json"
        guard let fields = try ConfigFields.ifPresent(path: path) else {
            throw CheckpointError(
                MappedFile.isFolder(folder) == true ? .missing : .unreadable, file: path,
                MappedFile.isFolder(folder) == true
                    ? "is not there" : "there is no folder \(CheckpointError.quoted(folder))",
                advice:
                    "an adapter is a folder with adapter_config.json and adapter_model.safetensors, as PEFT saves it")
        }
        try self.init(fields)
    }

    package init(_ fields: ConfigFields) throws(CheckpointError) {
        self.fields = fields
        kind = try Self.kind(fields)
        try Self.checkTask(fields)
        try FieldRules.check(fields, kind: kind)
        baseModel = try fields.string("base_model_name_or_path")
        peftVersion = try fields.string("peft_version")
        targets = try ModuleSelection(fields, "target_modules")
        excluded = try ModuleSelection(fields, "exclude_modules")
        layers = try Self.layers(fields)
        tiesWeights = try fields.bool("ensure_weight_tying") ?? false
    }

    private static func kind(_ fields: ConfigFields) throws(CheckpointError) -> AdapterKind {
        guard let name = try fields.string("peft_type") else {
            throw fields.mismatch("peft_type", "is missing, so this is not an adapter's configuration", kind: .missing)
        }
        if let kind = AdapterKind(rawValue: name) { return kind }
        let supported = AdapterKind.allCases.map(\.rawValue).joined(separator: ", ")
        throw fields.mismatch(
            "peft_type",
            "\(CheckpointError.quoted(name)) is \(AdapterKind.unsupported.contains(name) ? "not supported" : "unknown"), "
                + "expected one of \(supported)", kind: .unsupported)
    }

    private static func checkTask(_ fields: ConfigFields) throws(CheckpointError) {
        guard let task = try fields.string("task_type"), task != "CAUSAL_LM" else { return }
        throw fields.mismatch(
            "task_type", "\(CheckpointError.quoted(task)) is not supported, expected 'CAUSAL_LM' or null",
            kind: .unsupported, advice: "only adapters of models that generate text can be served")
    }

    private static func layers(_ fields: ConfigFields) throws(CheckpointError) -> Set<Int>? {
        guard let value = fields.value("layers_to_transform") else { return nil }
        var layers: Set<Int> = []
        for element in value.array ?? [value] {
            guard let layer = element.int, layer >= 0 else {
                throw fields.mismatch("layers_to_transform", "expected the number of a layer or a list of them")
            }
            layers.insert(layer)
        }
        return layers.isEmpty ? nil : layers
    }

    /// Whether PEFT would attach the adapter to `module`; nil where its pattern uses what is not read here.
    ///
    /// Limits to layers count only beside a list of names, as in PEFT (`check_target_module_exists`).
    func selects(_ module: ModelCatalog.Module, _ budget: inout MatchBudget) throws(CheckpointError) -> Bool? {
        if let excluded, try excluded.matches(module.name, &budget) ?? false { return false }
        guard let targets else { return nil }
        guard let matches = try targets.matches(module.name, &budget) else { return nil }
        guard matches, let layers, targets.isList, let layer = module.layer else { return matches }
        return layers.contains(layer)
    }
}

/// Modules as `target_modules` and `exclude_modules` name them.
enum ModuleSelection: Sendable {
    /// Endings of dotted paths.
    case names([String])
    case allLinear
    case pattern(ModulePattern)
    /// A pattern with constructs that `ModulePattern` does not read (look-around, back references).
    case unreadable

    var isList: Bool {
        if case .names = self { true } else { false }
    }

    /// Nil where the file does not have the field.
    init?(_ fields: ConfigFields, _ field: String) throws(CheckpointError) {
        guard let value = fields.value(field) else { return nil }
        guard let text = value.string else {
            self = .names(try fields.strings(field) ?? [])
            return
        }
        guard text != "all-linear" else {
            self = .allLinear
            return
        }
        do { self = .pattern(try ModulePattern(fullMatch: text)) } catch {
            guard error.isUnsupported else {
                throw fields.mismatch(field, "\(CheckpointError.quoted(text)): \(error.problem)", kind: .malformed)
            }
            self = .unreadable
        }
    }

    func matches(_ module: String, _ budget: inout MatchBudget) throws(CheckpointError) -> Bool? {
        switch self {
        case .names(let names): names.contains { module == $0 || module.hasSuffix("." + $0) }
        // Which layers that means PEFT finds in the model when it trains; what it saves is a list.
        case .allLinear: nil
        case .pattern(let pattern): try pattern.matches(module, &budget)
        case .unreadable: nil
        }
    }
}
