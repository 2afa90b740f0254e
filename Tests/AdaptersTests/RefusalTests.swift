import Adapters
import Checkpoints
import Testing

/// Files that must be refused, each with its reason.
@Suite struct RefusalTests {
    private func refused(
        _ name: String, _ reason: String, model: String = "plain", sourceLocation: SourceLocation = #_sourceLocation,
        _ change: (TemporaryAdapter) throws -> Void
    ) throws {
        let adapter = try TemporaryAdapter(name)
        try change(adapter)
        do {
            _ = try AdapterLoader.load(folder: adapter.folder, catalog: try Folders.catalog(model))
            Issue.record("was not refused", sourceLocation: sourceLocation)
        } catch {
            #expect("\(error)".contains(reason), "\(error)", sourceLocation: sourceLocation)
            #expect("\(error)".hasPrefix(adapter.folder), "\(error)", sourceLocation: sourceLocation)
        }
    }

    @Test(
        arguments: [
            ("peft_type", nil, "is missing"), ("peft_type", "OFT", "'OFT' is not supported"),
            ("peft_type", 5, "expected a string"),
            ("task_type", "TOKEN_CLS", "'TOKEN_CLS'"), ("r", "3", "field 'r'"), ("r", 0, "field 'r'"),
            ("r", 4, "expected shape [4"),
            ("r", 9_000_000_000_000_000_000, "field 'r'"), ("r", 3.5, "field 'r'"),
            ("lora_alpha", [1], "field 'lora_alpha'"),
            ("lora_alpha", 1e300, "field 'lora_alpha'"), ("rank_pattern", ["q_proj": 2], "expected shape [2"),
            ("rank_pattern", ["q_proj": "x"], "field 'rank_pattern'"), ("rank_pattern", [1], "field 'rank_pattern'"),
            ("alpha_pattern", ["(?=q)": 2], "field 'alpha_pattern'"),
            ("alpha_pattern", ["(q": 2], "field 'alpha_pattern'"),
            ("use_dora", true, "use_dora in adapter_config.json is true"), ("use_dora", "yes", "field 'use_dora'"),
            ("lora_bias", true, "lora_bias in adapter_config.json is true"), ("bias", "some", "field 'bias'"),
            ("init_lora_weights", "pissa_niter_16", "'pissa_niter_16' changes the weights of the model"),
            ("init_lora_weights", "olora", "'olora'"), ("init_lora_weights", "loftq", "'loftq'"),
            ("target_modules", ["q_proj"], "does not select"), ("target_modules", "(q", "field 'target_modules'"),
            ("target_modules", 4, "field 'target_modules'"), ("exclude_modules", ["q_proj"], "does not select"),
            ("layers_to_transform", [1], "does not select"),
            ("layers_to_transform", "x", "field 'layers_to_transform'"),
            ("use_bdlora", ["x": 1], "field 'use_bdlora'"), ("target_parameters", ["x"], "field 'target_parameters'"),
            ("kasa_config", ["x": 1], "field 'kasa_config'"), ("something_new", 1, "field 'something_new'"),
            ("alora_invocation_tokens", [32], "field 'alora_invocation_tokens'"),
            ("alora_invocation_tokens", [-1], "field 'alora_invocation_tokens'"),
            ("alora_invocation_tokens", [], "field 'alora_invocation_tokens'"),
        ] as [(String, JSONValue?, String)])
    func configurations(_ field: String, _ value: JSONValue?, _ reason: String) throws {
        try refused("lora", reason) { try $0.set(field, value) }
    }

    /// Values that say "not used" do not hinder, nor do those that only the training has.
    @Test(
        arguments: [
            ("something_new", nil), ("something_new", false), ("something_new", []), ("something_new", [:]),
            ("something_new", ""), ("unsloth_fixed", true), ("eva_config", ["rho": 2.0]),
            ("init_lora_weights", "gaussian"),
            ("init_lora_weights", false), ("task_type", nil), ("peft_version", nil), ("fan_in_fan_out", true),
            ("auto_mapping", ["base_model_class": "LlamaForCausalLM"]), ("lora_alpha", 0), ("lora_alpha", -2.5),
            ("target_modules", "all-linear"), ("target_modules", nil), ("target_modules", "(?!x).*"),
            ("rank_pattern", ["k_proj": 77]), ("layers_to_transform", [0, 1]),
        ] as [(String, JSONValue?)])
    func harmless(_ field: String, _ value: JSONValue?) throws {
        let adapter = try TemporaryAdapter("lora")
        try adapter.set(field, value)
        let loaded = try AdapterLoader.load(folder: adapter.folder, catalog: try Folders.catalog())
        #expect(loaded.effects.deltas.count == 4)
    }

    @Test func notANumber() throws {
        try refused("lora", "field 'lora_alpha'") { try $0.replace("\"lora_alpha\": 7", with: "\"lora_alpha\": NaN") }
        try refused("lora", "field 'lora_alpha'") {
            try $0.replace("\"lora_alpha\": 7", with: "\"lora_alpha\": Infinity")
        }
    }

    @Test func tensors() throws {
        try refused("lora", "no module 'model.layers.7.") { try $0.changeHeader("layers.0", "layers.7") }
        try refused("lora", "expected shape [3, 24] from r or rank_pattern in adapter_config.json, found [24, 3]") {
            try $0.changeHeader("[3,24]", "[24,3]")
        }
        try refused("lora", "down_proj.lora_B.weight': is not there") { try $0.changeHeader("lora_B", "lora_X") }
        try refused("lora", "is not part of an adapter of type LORA for this model; nor is 1 other") {
            try $0.changeHeader("base_model", "best_model")
        }
        try refused("lora", "is not there, but '.lora_A.weight'") {
            try $0.changeHeader("q_proj.lora_B", "k_proj.lora_B")
        }
        try refused("lora-float16", "expected dtype") { try $0.changeHeader("\"F16\"", "\"I16\"") }
        try refused("lora", "not a finite number") {
            try $0.changeWeights { $0.replaceSubrange($0.count - 2..<$0.count, with: [0x80, 0x7F]) }
        }
        try refused("lora-bfloat16", "not a finite number") {
            try $0.changeWeights { $0.replaceSubrange($0.count - 2..<$0.count, with: [0xC0, 0xFF]) }
        }
        try refused("lora-float16", "not a finite number") {
            try $0.changeWeights { $0.replaceSubrange($0.count - 2..<$0.count, with: [0x00, 0x7C]) }
        }
        try refused("lora", "bytes") { try $0.changeWeights { $0.removeLast(5) } }
        try refused("lora", "bytes") { try $0.changeWeights { $0 = Array($0.prefix(4)) } }
        try refused("lora", "header") { try $0.changeWeights { $0[7] = 0x7F } }
    }

    @Test func kinds() throws {
        try refused("dora", "lora_magnitude_vector") { try $0.set("use_dora", false) }
        try refused("lora-bias", "lora_B.bias") { try $0.set("lora_bias", false) }
        try refused("lora-own-biases", "no bias in the model", model: "tied") { _ in }
        try refused("lora-tokens", "has no token ids") { try $0.set("trainable_token_indices", nil) }
        try refused("lora-tokens", "count of trainable_token_indices") {
            try $0.set("trainable_token_indices", [1, 2])
        }
        try refused("lora-tokens", "token id twice") { try $0.set("trainable_token_indices", [1, 2, 1]) }
        try refused("lora-tokens", "token ids from 0 to 31") { try $0.set("trainable_token_indices", [1, 2, 32]) }
        try refused("lora-grown", "has 35 rows, its") {
            try $0.changeHeader("model.lm_head.weight", "model.lm_tail.weight")
        }
        try refused("ia3", "feedforward_modules") { try $0.set("feedforward_modules", ["v_proj"]) }
        try refused("ia3", "is missing") { try $0.set("feedforward_modules", nil) }
        try refused("vera", "with 6 rows") { try $0.set("r", 6) }
        try refused("vera", "save_projection") { try $0.changeHeader("vera_A", "vera_C") }
        try refused("vera-seeded", "'projection_prng_key'") { try $0.set("projection_prng_key", -1) }
        try refused("vera-seeded", "though save_projection says") { try $0.set("save_projection", true) }
        try refused("vera-seeded", "up_proj") {
            try $0.set("target_modules", ["k_proj", "down_proj", "up_proj"])
        }
        try refused("vera-seeded", "expected shape [21]") { try $0.set("r", 21) }
        try refused("loha", "expected shape [16, 3]") { try $0.set("r", 3) }
        try refused("lokr", "expected rank 2") { try $0.set("r", 2) }
        try refused("lokr", "LoKr files of PEFT before 0.18") { try $0.set("peft_version", nil) }
        try refused("prompt-tuning", "expected shape [4, 16]") { try $0.set("num_virtual_tokens", 4) }
        try refused("prompt-tuning", "field 'num_virtual_tokens'") { try $0.set("num_virtual_tokens", nil) }
        try refused("prompt-tuning", "field 'num_transformer_submodules'") {
            try $0.set("num_transformer_submodules", 2)
        }
        try refused("prefix-tuning", "expected shape [4, 32]") { try $0.set("num_virtual_tokens", 4) }
        try refused("multitask-prompt-tuning", "expected shape [3, 3, 2]") { try $0.set("num_tasks", 3) }
        try refused("lora", "names trained tokens, but") { try $0.set("trainable_token_indices", [1]) }
        try refused("lokr-both", "expected a matrix") { try $0.changeHeader("\"shape\":[4,1]", "\"shape\":[4  ]") }
        for name in ["lora-saved", "lora-tokens", "dora", "lora-embed-head"] {
            try refused(name, "an activated adapter cannot") { try $0.set("alora_invocation_tokens", [5]) }
        }
    }

    @Test func olderActivatedFormat() throws {
        let adapter = try TemporaryAdapter("lora")
        try adapter.set("invocation_string", "<|check|>")
        let loaded = try AdapterLoader.load(folder: adapter.folder, catalog: try Folders.catalog())
        #expect(loaded.activation == .afterText("<|check|>", offset: 1))
        try refused("dora", "an activated adapter cannot use DoRA") { try $0.set("invocation_string", "x") }
    }

    @Test func nothingThere() throws {
        let folder = Folders.fixtures + "/nothing"
        #expect { try AdapterLoader.load(folder: folder, catalog: try Folders.catalog()) } throws: {
            "\($0)".contains("there is no folder")
        }
    }

    @Test func weightsOfFewerModulesAreReported() throws {
        let adapter = try TemporaryAdapter("lora")
        try adapter.set("target_modules", ["q_proj", "k_proj", "down_proj"])
        let loaded = try AdapterLoader.load(folder: adapter.folder, catalog: try Folders.catalog())
        #expect(loaded.warnings.count == 1)
        #expect(loaded.warnings.first?.contains("2 modules") == true)
        try adapter.set("modules_to_save", ["classifier"])
        let other = try AdapterLoader.load(folder: adapter.folder, catalog: try Folders.catalog())
        #expect(other.warnings.count == 2)
    }
}
