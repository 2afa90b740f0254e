import Checkpoints

/// Makes effects of an adapter's configuration and tensors; the kinds are in the extensions.
struct AdapterReader {
    let config: AdapterConfig
    let catalog: ModelCatalog
    var tensors: AdapterTensors
    var budget: MatchBudget
    var effects = AdapterEffects()
    var activation = AdapterActivation.always
    /// Rows of embedding and head with this adapter: more than the model's where it came with tokens of its own.
    let embeddingRows: Int
    let headRows: Int
    /// Whether PEFT would attach the adapter to a module; nil where that cannot be told.
    private let selection: [String: Bool?]

    var fields: ConfigFields { config.fields }
    var compute: ComputedTensor { ComputedTensor(file: tensors.file) }

    init(_ config: AdapterConfig, _ catalog: ModelCatalog, _ tensors: AdapterTensors) throws(CheckpointError) {
        self.config = config
        self.catalog = catalog
        self.tensors = tensors
        var budget = MatchBudget(file: config.fields.file)
        var selection: [String: Bool?] = [:]
        for module in catalog.modules { selection[module.name] = try config.selects(module, &budget) }
        if config.tiesWeights && catalog.tiesHead {
            for (module, other) in [(catalog.head, catalog.embedding), (catalog.embedding, catalog.head)]
            where (selection[other] ?? nil) == true && (selection[module] ?? nil) == false {
                selection[module] = .some(nil)
            }
        }
        self.budget = budget
        self.selection = selection
        embeddingRows = Self.rows(catalog.embedding, tensors) ?? catalog.vocabularySize
        headRows = Self.rows(catalog.head, tensors) ?? catalog.vocabularySize
    }

    private static func rows(_ module: String, _ tensors: AdapterTensors) -> Int? {
        for suffix in [".weight", ".base_layer.weight", ".token_adapter.base_layer.weight"] {
            if let rows = tensors.rows(module, suffix) { return rows }
        }
        return nil
    }

    /// Reads everything; every tensor of the file must find its place.
    mutating func read() throws(CheckpointError) {
        try checkVocabulary()
        switch config.kind {
        case .lora: try readLoRA()
        case .adaLoRA: try readAdaLoRA()
        case .vera: try readVeRA()
        case .ia3: try readScales()
        case .normTuning: try readNorms()
        case .trainableTokens: try readTokenRows(field: "token_indices", suffix: ".trainable_tokens_delta")
        case .loha: try readLoHa()
        case .lokr: try readLoKr()
        case .promptTuning, .pTuning, .multitaskPromptTuning: try readPromptEmbeddings()
        case .prefixTuning, .cartridge: try readPrefix()
        }
        try readReplacements()
        try tensors.finish(config.kind, catalog)
        try checkActivation()
        effects.sort(by: catalog)
    }

    private func checkVocabulary() throws(CheckpointError) {
        for (module, rows) in [(catalog.embedding, embeddingRows), (catalog.head, headRows)] {
            guard rows >= catalog.vocabularySize else {
                throw CheckpointError(
                    .mismatch, file: tensors.file,
                    "the adapter's \(module) has \(rows) rows, the model's vocabulary has \(catalog.vocabularySize)",
                    advice: "is it another model's adapter?")
            }
        }
        guard embeddingRows == headRows else {
            throw CheckpointError(
                .mismatch, file: tensors.file,
                "the adapter's \(catalog.embedding) has \(embeddingRows) rows, its \(catalog.head) \(headRows)",
                advice: "an adapter with tokens of its own must be saved with both layers")
        }
    }

    /// What starts in the middle of a prompt must leave everything before its start as it was.
    private func checkActivation() throws(CheckpointError) {
        guard activation != .always else { return }
        let field = fields.has("alora_invocation_tokens") ? "alora_invocation_tokens" : "invocation_string"
        if !effects.replacements.isEmpty || !effects.tokenRows.isEmpty {
            throw fields.mismatch(
                field,
                "an activated adapter cannot replace weights of the model, as they would count before its start too",
                kind: .unsupported)
        }
        for delta in effects.deltas {
            if delta.magnitude != nil {
                throw fields.mismatch(field, "an activated adapter cannot use DoRA", kind: .unsupported)
            }
            if catalog[delta.module]?.kind == .embedding {
                throw fields.mismatch(field, "an activated adapter cannot change the embedding", kind: .unsupported)
            }
        }
    }

    // MARK: For the kinds

    /// The module that a tensor `name + suffix` changes.
    func module(
        _ name: String, _ suffix: String, _ kinds: Set<ModelCatalog.Kind>
    ) throws(CheckpointError) -> ModelCatalog.Module {
        let subject = "tensor \(CheckpointError.quoted(AdapterTensors.modelPrefix + name + suffix))"
        guard let module = catalog[name] else {
            let layers = catalog.keyValueShapes.count
            throw CheckpointError(
                .mismatch, file: tensors.file, subject: subject,
                "the model has no module \(CheckpointError.quoted(name))",
                advice: "its layers are 0 to \(layers - 1), such as "
                    + (catalog.modules.first { $0.layer != nil }.map { "'\($0.name)'" } ?? "none")
                    + ": is it another model's adapter?")
        }
        guard kinds.contains(module.kind) else {
            throw CheckpointError(
                .unsupported, file: tensors.file, subject: subject, "does not fit the kind of module that it is for")
        }
        guard (selection[name] ?? nil) != false else {
            throw CheckpointError(
                .mismatch, file: tensors.file, subject: subject,
                "is for a module that adapter_config.json does not select",
                advice: "PEFT would ignore the tensor; target_modules, exclude_modules or layers_to_transform "
                    + "do not belong to these weights")
        }
        return module
    }

    /// Input features of `module` with this adapter's vocabulary.
    func inputs(_ module: ModelCatalog.Module) -> Int {
        module.name == catalog.embedding ? embeddingRows : module.inputs
    }

    func outputs(_ module: ModelCatalog.Module) -> Int { module.name == catalog.head ? headRows : module.outputs }

    /// Whether PEFT may attach the adapter to a linear layer.
    func mayBeSelected(_ module: ModelCatalog.Module) -> Bool {
        module.kind == .linear && (selection[module.name] ?? nil) != false
    }

    /// Modules that the configuration selects and the file has nothing for, where that can be told.
    var untouchedModules: [String] {
        let changed = Set(effects.modules)
        return catalog.modules.map(\.name).filter { (selection[$0] ?? nil) == true && !changed.contains($0) }
    }
}
