import Checkpoints

extension AdapterReader {
    /// LoRA with its variants (rank-stabilized, DoRA, activated).
    mutating func readLoRA() throws(CheckpointError) {
        try checkInitialization()
        let settings = try LowRankSettings(fields)
        let hasMagnitudes = try fields.bool("use_dora") ?? false
        let hasBiases = try fields.bool("lora_bias") ?? false
        try checkBias()
        for name in tensors.modules(with: ".lora_A.weight") {
            let module = try module(name, ".lora_A.weight", [.linear])
            let delta = try delta(
                module, down: ".lora_A.weight", up: ".lora_B.weight", settings, hasMagnitude: hasMagnitudes,
                hasBias: hasBiases)
            effects.deltas.append(delta)
        }
        for name in tensors.modules(with: ".lora_embedding_A") {
            let module = try module(name, ".lora_embedding_A", [.embedding])
            let delta = try delta(
                module, down: ".lora_embedding_A", up: ".lora_embedding_B", settings, hasMagnitude: hasMagnitudes,
                hasBias: false)
            effects.deltas.append(delta)
        }
        try readTokenRows(field: "trainable_token_indices", suffix: ".token_adapter.trainable_tokens_delta")
        activation = try readActivation()
    }

    private mutating func delta(
        _ module: ModelCatalog.Module, down downSuffix: String, up upSuffix: String, _ settings: LowRankSettings,
        hasMagnitude: Bool, hasBias: Bool
    ) throws(CheckpointError) -> LowRankDelta {
        let down = try tensors.require(module.name, downSuffix, beside: downSuffix)
        let up = try tensors.require(module.name, upSuffix, beside: downSuffix)
        let (rank, scale) = try settings.settings(for: module.name, &budget)
        guard down.shape.count == 2, down.shape[0] == rank else {
            throw tensors.problem(
                down, .mismatch,
                "expected shape [\(rank), \(inputs(module))] from r or rank_pattern in adapter_config.json, "
                    + "found \(down.shape)", advice: "configuration and weights do not belong together")
        }
        try tensors.check(down, shape: [rank, inputs(module)])
        try tensors.check(up, shape: [outputs(module), rank])
        let magnitude =
            hasMagnitude
            ? try vector(module, ".lora_magnitude_vector", count: outputs(module), because: "use_dora") : nil
        let bias = hasBias ? try vector(module, ".lora_B.bias", count: outputs(module), because: "lora_bias") : nil
        return LowRankDelta(
            module: module.name, down: down, up: up, scale: scale, bias: bias, magnitude: magnitude)
    }

    /// A vector that the configuration says is there.
    private mutating func vector(
        _ module: ModelCatalog.Module, _ suffix: String, count: Int, because field: String
    ) throws(CheckpointError) -> TensorView {
        guard let vector = try tensors.take(module.name, suffix) else {
            throw CheckpointError(
                .missing, file: tensors.file,
                subject: "tensor \(CheckpointError.quoted(AdapterTensors.modelPrefix + module.name + suffix))",
                "is not there, but \(field) in adapter_config.json is true")
        }
        try tensors.check(vector, shape: [count])
        return vector
    }

    /// Refuses files whose base is not the model's own weights.
    ///
    /// PEFT runs these initializations again when it loads the file and takes their result out of the base.
    private func checkInitialization() throws(CheckpointError) {
        guard let value = fields.value("init_lora_weights"), value.bool == nil else { return }
        let known = ["gaussian", "orthogonal", "eva", "mica"]
        guard let name = value.string, known.contains(name) else {
            let shown = value.string.map(CheckpointError.quoted) ?? value.kind
            throw fields.mismatch(
                "init_lora_weights", "\(shown) changes the weights of the model itself and is not supported",
                kind: .unsupported,
                advice: "save it as a plain LoRA: PEFT's save_pretrained has path_initial_model_for_weight_conversion")
        }
    }

    private func checkBias() throws(CheckpointError) {
        guard let bias = try fields.string("bias"), !["none", "all", "lora_only"].contains(bias) else { return }
        throw fields.mismatch(
            "bias", "\(CheckpointError.quoted(bias)) is unknown, expected 'none', 'all' or 'lora_only'",
            kind: .unsupported)
    }

    private func readActivation() throws(CheckpointError) -> AdapterActivation {
        let text = try fields.string("invocation_string") ?? ""
        guard let value = fields.value("alora_invocation_tokens") else {
            // The older format starts one token after the first of its invocation.
            return text.isEmpty ? .always : .afterText(text, offset: 1)
        }
        var tokens: [Int32] = []
        for element in value.array ?? [value] {
            guard let token = element.int, (0..<headRows).contains(token) else {
                throw fields.mismatch(
                    "alora_invocation_tokens", "expected a list of token ids from 0 to \(headRows - 1)")
            }
            tokens.append(Int32(token))
        }
        guard !tokens.isEmpty, tokens.count <= 4096 else {
            throw fields.mismatch("alora_invocation_tokens", "expected 1 to 4096 token ids, found \(tokens.count)")
        }
        return .afterTokens(tokens, offset: 0)
    }
}
