import Checkpoints

/// Reads adapters as PEFT saves them.
package enum AdapterLoader {
    /// Reads and checks the adapter in `folder` for the model that `catalog` describes: all of it, or nothing.
    ///
    /// Changed modules, ranks and shapes come from the tensors; `adapter_config.json` gives their meaning and
    /// must agree with them. Reads every byte once to check and once to hash it.
    ///
    /// - Throws: `CheckpointError` that names file, tensor or field, what was expected and found.
    package static func load(folder: String, catalog: ModelCatalog) throws(CheckpointError) -> LoadedAdapter {
        let config = try AdapterConfig(folder: folder)
        let tensors = try AdapterTensors(folder: folder)
        var reader = try AdapterReader(config, catalog, tensors)
        try reader.read()
        return LoadedAdapter(
            kind: config.kind, baseModel: config.baseModel, peftVersion: config.peftVersion, effects: reader.effects,
            activation: reader.activation, vocabularySize: reader.headRows,
            digest: AdapterDigest(reader.effects, reader.activation), warnings: warnings(reader))
    }

    private static func warnings(_ reader: AdapterReader) -> [String] {
        var warnings: [String] = []
        if let first = reader.untouchedModules.first {
            warnings.append(
                "the configuration selects \(reader.untouchedModules.count) modules that the file has no weights for, "
                    + "such as '\(first)'; they stay as in the model")
        }
        let saved = reader.fields.value("modules_to_save")?.array ?? []
        if !saved.isEmpty && reader.effects.replacements.allSatisfy(\.isBaseCopy) {
            warnings.append("modules_to_save names modules that the file has no weights for; they stay as in the model")
        }
        return warnings
    }
}
