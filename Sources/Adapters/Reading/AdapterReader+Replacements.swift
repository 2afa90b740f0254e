import Checkpoints

extension AdapterReader {
    /// LN tuning: norms, or whatever else was chosen, as a whole.
    mutating func readNorms() throws(CheckpointError) {
        for parameter in [Replacement.Parameter.weight, .bias] {
            let suffix = ".ln_tuning_layers." + parameter.rawValue
            for name in tensors.modules(with: suffix) {
                let module = try module(name, suffix, [.linear, .embedding, .norm])
                try replace(module, parameter, suffix, isBaseCopy: false)
            }
        }
    }

    /// Weights and biases that stand for themselves: `modules_to_save`, `bias`, a grown vocabulary, and the base
    /// weights that PEFT stores beside a changed embedding.
    mutating func readReplacements() throws(CheckpointError) {
        let changed = Set(effects.modules)
        for parameter in [Replacement.Parameter.weight, .bias] {
            for infix in [".base_layer.", ".token_adapter.base_layer.", "."] {
                let suffix = infix + parameter.rawValue
                for name in tensors.modules(with: suffix) {
                    // What is left over for other reasons is reported in the end.
                    guard let module = catalog[name] else { continue }
                    let isChanged = changed.contains(name)
                    let isVocabulary = name == catalog.embedding || name == catalog.head
                    guard infix == "." ? !isChanged || isVocabulary : isChanged else { continue }
                    try replace(module, parameter, suffix, isBaseCopy: isChanged && parameter == .weight)
                }
            }
        }
    }

    private mutating func replace(
        _ module: ModelCatalog.Module, _ parameter: Replacement.Parameter, _ suffix: String, isBaseCopy: Bool
    ) throws(CheckpointError) {
        guard let values = try tensors.take(module.name, suffix) else { return }
        switch parameter {
        case .weight:
            let shape =
                module.kind == .embedding
                ? [inputs(module), module.outputs]
                : module.kind == .linear ? [outputs(module), module.inputs] : module.weightShape
            try tensors.check(values, shape: shape)
        case .bias:
            guard module.hasBias else {
                throw tensors.problem(values, .mismatch, "this module has no bias in the model")
            }
            try tensors.check(values, shape: [module.outputs])
        }
        guard !effects.replacements.contains(where: { $0.module == module.name && $0.parameter == parameter }) else {
            throw tensors.problem(values, .mismatch, "the file has another \(parameter.rawValue) of this module too")
        }
        effects.replacements.append(
            Replacement(module: module.name, parameter: parameter, values: values, isBaseCopy: isBaseCopy))
    }

    // MARK: Rows

    /// Trained rows of the vocabulary. Despite the tensors' names they are the rows themselves, not differences.
    mutating func readTokenRows(field: String, suffix: String) throws(CheckpointError) {
        let modules = tensors.modules(with: suffix)
        if modules.isEmpty, let value = fields.value(field), value.array?.isEmpty != true, value.object?.isEmpty != true
        {
            throw fields.mismatch(
                field, "names trained tokens, but the file has no rows for them", kind: .missing,
                advice: "the adapter was not saved completely")
        }
        for name in modules {
            guard let module = catalog[name], name == catalog.embedding || name == catalog.head else {
                throw CheckpointError(
                    .unsupported, file: tensors.file,
                    subject: "tensor \(CheckpointError.quoted(AdapterTensors.modelPrefix + name + suffix))",
                    "rows can be trained of '\(catalog.embedding)' and '\(catalog.head)' only")
            }
            guard let rows = try tensors.take(name, suffix) else { continue }
            let tokens = try tokens(field, for: name)
            try tensors.check(
                rows, shape: [tokens.count, module.kind == .embedding ? module.outputs : module.inputs],
                advice: "the first number is the count of \(field) in adapter_config.json")
            // A tied head has the embedding's rows, unless it has some of its own.
            let changesHead = name == catalog.head || (catalog.tiesHead && !modules.contains(catalog.head))
            effects.tokenRows.append(TokenRows(module: name, tokens: tokens, rows: rows, changesHead: changesHead))
        }
    }

    /// The token ids that the configuration has for `module`: one list for all, or an object of them by module.
    private func tokens(_ field: String, for module: String) throws(CheckpointError) -> [Int32] {
        var value = fields.value(field)
        if let object = value?.object {
            value = object.first { module == $0.key || module.hasSuffix("." + $0.key) }?.value
        }
        guard let list = value?.array else {
            throw fields.mismatch(
                field, "has no token ids for \(module), but the file has rows for them", kind: .missing)
        }
        let rows = module == catalog.embedding ? embeddingRows : headRows
        var tokens: [Int32] = []
        for element in list {
            guard let token = element.int, (0..<rows).contains(token) else {
                throw fields.mismatch(field, "expected token ids from 0 to \(rows - 1)")
            }
            tokens.append(Int32(token))
        }
        guard Set(tokens).count == tokens.count else { throw fields.mismatch(field, "has a token id twice") }
        return tokens
    }
}
