import Checkpoints

/// Which fields of `adapter_config.json` each kind of adapter may have.
enum FieldRules {
    /// Read for every kind, or without meaning when an adapter is used.
    private static let common: Set<String> = [
        "peft_type", "task_type", "base_model_name_or_path", "revision", "inference_mode", "peft_version",
        "auto_mapping", "runtime_config", "unsloth_fixed", "megatron_config", "megatron_core",
    ]
    private static let targeting: Set<String> = [
        "target_modules", "exclude_modules", "layers_to_transform", "layers_pattern", "modules_to_save",
    ]
    /// Settings of the training, and of how the weights began.
    private static let lowRank: Set<String> = [
        "r", "lora_alpha", "lora_dropout", "rank_pattern", "alpha_pattern", "bias", "fan_in_fan_out", "use_rslora",
        "lora_bias", "use_dora", "alora_invocation_tokens", "invocation_string", "trainable_token_indices",
        "ensure_weight_tying", "init_lora_weights", "loftq_config", "eva_config", "corda_config", "lora_ga_config",
        "velora_config", "qalora_group_size", "ephemeral_gpu_offload",
    ]
    private static let lycoris: Set<String> = [
        "r", "alpha", "rank_dropout", "module_dropout", "use_effective_conv2d", "init_weights", "rank_pattern",
        "alpha_pattern",
    ]
    private static let prompts: Set<String> = [
        "num_virtual_tokens", "token_dim", "num_transformer_submodules", "num_attention_heads", "num_layers",
        "modules_to_save",
    ]

    private static func known(_ kind: AdapterKind) -> Set<String> {
        switch kind {
        case .lora: targeting.union(lowRank)
        case .adaLoRA:
            targeting.union(lowRank).union([
                "target_r", "init_r", "tinit", "tfinal", "deltaT", "beta1", "beta2", "orth_reg_weight", "total_step",
            ])
        case .vera:
            targeting.union([
                "r", "projection_prng_key", "save_projection", "vera_dropout", "d_initial", "fan_in_fan_out", "bias",
                "init_weights",
            ])
        case .ia3: targeting.union(["feedforward_modules", "fan_in_fan_out", "init_ia3_weights"])
        case .normTuning: targeting
        case .trainableTokens: targeting.union(["token_indices", "init_weights"])
        case .loha: targeting.union(lycoris)
        case .lokr: targeting.union(lycoris).union(["decompose_both", "decompose_factor", "rank_dropout_scale"])
        case .promptTuning:
            prompts.union([
                "prompt_tuning_init", "prompt_tuning_init_text", "tokenizer_name_or_path", "tokenizer_kwargs",
            ])
        case .multitaskPromptTuning:
            prompts.union([
                "prompt_tuning_init", "prompt_tuning_init_text", "tokenizer_name_or_path", "tokenizer_kwargs",
                "prompt_tuning_init_state_dict_path", "prompt_tuning_init_task", "num_ranks", "num_tasks",
            ])
        case .pTuning:
            prompts.union([
                "encoder_reparameterization_type", "encoder_hidden_size", "encoder_num_layers", "encoder_dropout",
            ])
        // A prefix that was made by an encoder is saved as the encoder's result.
        case .prefixTuning: prompts.union(["encoder_hidden_size", "prefix_projection", "init_weights"])
        case .cartridge: prompts.union(["num_frozen_tokens"])
        }
    }

    /// Fields that change what the tensors mean, and why they are refused.
    private static let refused: [String: String] = [
        "use_qalora": "QALoRA pools the input in groups",
        "layer_replication": "it repeats layers of the model",
        "arrow_config": "Arrow routes tokens between adapters",
        "monteclora_config": "MonteCLoRA samples its weights",
        "kasa_config": "KaSA changes the weights of the model itself",
        "use_bdlora": "the matrices are block-diagonal",
        "target_parameters": "it changes parameters of expert layers, and no such model is supported",
    ]

    /// Refuses what the file asks for and is not read.
    static func check(_ fields: ConfigFields, kind: AdapterKind) throws(CheckpointError) {
        let known = common.union(known(kind))
        for (field, value) in fields.object where !known.contains(field) && !value.saysNotUsed {
            guard let reason = refused[field] else {
                throw fields.mismatch(
                    field, "is not known for an adapter of type \(kind.rawValue), and its value is not empty",
                    kind: .unsupported,
                    advice: "if it has no meaning when the adapter is used, remove it from the file")
            }
            throw fields.mismatch(field, "is not supported: \(reason)", kind: .unsupported)
        }
    }
}

extension JSONValue {
    /// Null, false and everything empty.
    fileprivate var saysNotUsed: Bool {
        switch self {
        case .null: true
        case .bool(let value): !value
        case .string(let text): text.isEmpty
        case .array(let values): values.isEmpty
        case .object(let object): object.isEmpty
        case .int, .double: false
        }
    }
}
