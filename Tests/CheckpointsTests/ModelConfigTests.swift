import Checkpoints
import Testing

@Suite struct ModelConfigTests {
    static let base: JSONObject = [
        "model_type": "llama", "vocab_size": 320, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
        "num_attention_heads": 4,
    ]

    private func config(_ changes: JSONObject, supported: Set<String>? = nil) throws -> ModelConfig {
        var object = Self.base
        for (key, value) in changes { object[key] = value }
        return try ModelConfig(ConfigFields(file: "config.json", object: object), supported: supported)
    }

    @Test func defaultsAreThoseOfTransformers() throws {
        let config = try config([:])
        #expect(config.keyValueHeadCount == 4 && config.headDimension == 16 && config.maximumPositions == 2048)
        #expect(config.activation == "silu" && config.normEpsilon == 1e-6)
        #expect(!config.hasAttentionBias && !config.hasMLPBias && !config.tiesWordEmbeddings)
        #expect(config.rope(layer: 1) == RopeParameters(theta: 10_000))
        #expect(config.slidingWindow(layer: 0) == nil && config.dtype == nil)
        #expect(config.beginTokenID == nil && config.endTokenIDs.isEmpty && config.padTokenID == nil)
    }

    /// Bloom has other names, and is silent about much.
    @Test func bloomSpellsSizesInItsOwnWay() throws {
        let silent: JSONObject = [
            "model_type": "bloom", "vocab_size": 320, "hidden_size": 64, "n_layer": 3, "n_head": 4,
        ]
        let config = try ModelConfig(ConfigFields(file: "config.json", object: silent))
        #expect(config.layerCount == 3 && config.headCount == 4 && config.keyValueHeadCount == 4)
        #expect(config.intermediateSize == 256 && config.normEpsilon == 1e-5 && config.tiesWordEmbeddings)
        #expect(config.maximumPositions == 2048 && config.rope(layer: 0) == nil)
        let old: JSONObject = [
            "model_type": "bloom", "vocab_size": 320, "n_embed": 64, "n_layer": 3, "num_attention_heads": 2,
            "layer_norm_epsilon": 1e-4, "seq_length": 512, "n_inner": nil, "tie_word_embeddings": false,
        ]
        let other = try ModelConfig(ConfigFields(file: "config.json", object: old))
        #expect(other.hiddenSize == 64 && other.headDimension == 32 && other.intermediateSize == 256)
        #expect(other.normEpsilon == 1e-4 && other.maximumPositions == 512 && !other.tiesWordEmbeddings)
    }

    /// Which of two layers have which window.
    @Test(
        arguments: [
            (["model_type": "mistral"], [4096, 4096]),
            (["model_type": "mistral", "sliding_window": nil], [nil, nil]),
            (["model_type": "mistral", "sliding_window": 7], [7, 7]),
            (["model_type": "qwen2"], [nil, nil]),
            (["model_type": "qwen2", "sliding_window": 7], [nil, nil]),
            (["model_type": "qwen2", "sliding_window": 7, "use_sliding_window": false], [nil, nil]),
            (["model_type": "qwen2", "sliding_window": 7, "use_sliding_window": true], [nil, nil]),
            (
                ["model_type": "qwen2", "sliding_window": 7, "use_sliding_window": true, "max_window_layers": 1],
                [nil, 7]
            ),
            (["model_type": "qwen2", "use_sliding_window": true, "max_window_layers": 0], [4096, 4096]),
            (
                [
                    "model_type": "qwen2", "sliding_window": 7, "use_sliding_window": true, "max_window_layers": 0,
                    "layer_types": ["sliding_attention", "full_attention"],
                ], [7, nil]
            ),
        ] as [(JSONObject, [Int?])])
    func windowsAreThoseOfTransformers(_ changes: JSONObject, _ windows: [Int?]) throws {
        let config = try config(changes)
        #expect((0..<2).map { config.slidingWindow(layer: $0) } == windows)
    }

    @Test(
        arguments: [
            (["dtype": "bfloat16"], .bfloat16), (["torch_dtype": "bfloat16"], .bfloat16),
            (["torch_dtype": "torch.float16"], .float16),
            (["dtype": "float32", "torch_dtype": "bfloat16"], .float32),
            (["dtype": nil, "torch_dtype": "float16"], .float16),
            (["dtype": "auto"], nil),
        ] as [(JSONObject, TensorDType?)])
    func bothSpellingsOfTheDType(_ changes: JSONObject, _ dtype: TensorDType?) throws {
        #expect(try config(changes).dtype == dtype)
    }

    @Test func tokenIDsMayBeListsOrNegative() throws {
        let one = try config(["eos_token_id": 2, "bos_token_id": 1, "pad_token_id": -1])
        #expect(one.endTokenIDs == [2] && one.beginTokenID == 1 && one.padTokenID == nil)
        #expect(try config(["eos_token_id": [128_001, 128_009, 128_001]]).endTokenIDs == [128_001, 128_009])
    }

    @Test func codeInTheFileIsIgnored() throws {
        #expect(throws: Never.self) {
            try config(["auto_map": ["AutoModel": "evil.Model"], "trust_remote_code": true])
        }
    }

    static let refused: [(JSONObject, [String])] = [
        (["model_type": nil], ["field 'model_type'", "is missing"]),
        (["model_type": 3], ["field 'model_type'", "expected a string, found 3"]),
        (["vocab_size": nil], ["field 'vocab_size'", "is missing"]),
        (["vocab_size": 0], ["'vocab_size'", "from 1 to 16777216", "found 0"]),
        (["vocab_size": "320"], ["found '320'"]),
        (["hidden_size": -64], ["'hidden_size'", "-64"]),
        (["hidden_size": 64.5], ["'hidden_size'", "64.5"]),
        (["hidden_size": 1e30], ["'hidden_size'"]),
        (["hidden_size": .double(.nan)], ["'hidden_size'"]),
        (["hidden_size": 66], ["'hidden_size'", "66", "multiple of num_attention_heads, 4"]),
        (["num_hidden_layers": 0], ["'num_hidden_layers'"]),
        (["num_hidden_layers": 100_000], ["'num_hidden_layers'"]),
        (["num_attention_heads": 0], ["'num_attention_heads'"]),
        (["num_key_value_heads": 3], ["'num_key_value_heads'", "is 3", "divisor of num_attention_heads, 4"]),
        (["num_key_value_heads": 8], ["'num_key_value_heads'"]),
        (["head_dim": 0], ["'head_dim'"]),
        (["head_dim": 15], ["rotates 15 of 15"]),
        (["max_position_embeddings": 0], ["'max_position_embeddings'"]),
        (["rms_norm_eps": -1], ["'rms_norm_eps'"]),
        (["rms_norm_eps": .double(.nan)], ["'rms_norm_eps'"]),
        (["attention_bias": "no"], ["'attention_bias'", "true or false", "'no'"]),
        (["tie_word_embeddings": 1], ["'tie_word_embeddings'"]),
        (["architectures": "Llama"], ["'architectures'", "a list of strings"]),
        (["dtype": "int4"], ["'dtype'", "'int4'", "bfloat16"]),
        (["eos_token_id": "two"], ["'eos_token_id'"]),
        (["eos_token_id": .int(1 << 40)], ["'eos_token_id'"]),
        (["eos_token_id": [1, "two"]], ["'eos_token_id'", "'two'"]),
        (["layer_types": ["full_attention"]], ["'layer_types'", "expected 2 entries", "found 1"]),
        (["sliding_window": 0], ["'sliding_window'"]),
        (["quantization_config": ["quant_method": "gptq", "bits": 4]], ["'quantization_config'", "'gptq'"]),
        (["rope_theta": 0], ["'rope_theta'"]),
        (["rope_theta": .double(.infinity)], ["'rope_theta'"]),
        (["rope_scaling": "linear"], ["'rope_scaling'", "an object"]),
        (["rope_scaling": ["type": "mrope"]], ["'rope_scaling.rope_type'", "'mrope'", "'yarn'"]),
        (["rope_scaling": ["type": "linear"]], ["'rope_scaling.factor'", "missing"]),
        (["rope_scaling": ["type": "linear", "factor": 0]], ["'rope_scaling.factor'"]),
        (["rope_parameters": ["rope_type": "llama3", "factor": 8]], ["'rope_parameters.low_freq_factor'"]),
        (
            ["rope_parameters": ["rope_type": "llama3", "factor": 8, "low_freq_factor": 4, "high_freq_factor": 4]],
            ["'rope_parameters.high_freq_factor'"]
        ),
        (["rope_parameters": ["rope_type": "yarn", "factor": 4, "beta_fast": 1, "beta_slow": 2]], ["beta_fast"]),
        (["rope_parameters": ["rope_type": "longrope"]], ["'rope_parameters.short_factor'", "expected 8 numbers"]),
        (
            ["rope_parameters": ["rope_type": "longrope", "short_factor": [1, 2], "long_factor": [1, 2]]],
            ["expected 8 numbers", "found 2"]
        ),
        (["rope_parameters": ["rope_type": "longrope", "short_factor": [1, 1, 1, 1, 1, 1, 1, 0]]], ["short_factor"]),
        (["partial_rotary_factor": 0], ["'partial_rotary_factor'"]),
        (["partial_rotary_factor": 1.5], ["'partial_rotary_factor'"]),
        (["partial_rotary_factor": 0.05], ["rotates 0 of 16"]),
    ]

    @Test(arguments: refused.indices) func wrongFieldsAreNamed(_ index: Int) throws {
        let (changes, expected) = Self.refused[index]
        let text = try #require(message { try config(changes) })
        #expect(text.hasPrefix("config.json: field '"))
        for part in expected { #expect(text.contains(part), "\(text)") }
    }

    @Test func unknownModelTypesAreRefusedBeforeAnythingElse() {
        let text = message { try config(["model_type": "bloom", "vocab_size": nil], supported: ["llama", "qwen2"]) }
        #expect(text?.contains("'bloom' is not supported, expected one of llama, qwen2") == true)
    }

    @Test(arguments: ["", "[]", "3", "{", "{\"a\":1}}", "{\"a\":\u{1}}"]) func brokenFilesAreRefused(_ text: String)
        throws
    {
        let folder = try TemporaryFolder()
        let path = try folder.write("config.json", text)
        #expect(message { try ModelConfig(folder: folder.path) }?.hasPrefix(path) == true)
    }
}

@Suite struct RopeParametersTests {
    private func rope(_ changes: JSONObject) throws -> RopeParameters? {
        var object = ModelConfigTests.base
        for (key, value) in changes { object[key] = value }
        return try ModelConfig(ConfigFields(file: "config.json", object: object)).rope(layer: 0)
    }

    @Test func oldAndNewSpellingsAgree() throws {
        let old = try rope([
            "rope_theta": 5e5, "max_position_embeddings": 4096,
            "rope_scaling": ["type": "yarn", "factor": 4, "original_max_position_embeddings": 1024],
        ])
        let new = try rope([
            "max_position_embeddings": 4096,
            "rope_parameters": [
                "rope_type": "yarn", "rope_theta": 5e5, "factor": 4, "original_max_position_embeddings": 1024,
            ],
        ])
        #expect(old == new && old != nil)
    }

    @Test func innerFieldsWinOverOuterOnes() throws {
        #expect(try rope(["rope_theta": 100, "rope_parameters": ["rope_theta": 200]])?.theta == 200)
        #expect(try rope(["rope_theta": 100, "rope_scaling": [:], "rope_parameters": nil])?.theta == 100)
        #expect(try rope(["partial_rotary_factor": 0.5])?.partialRotaryFactor == 0.5)
        #expect(try rope(["rotary_pct": 0.25])?.rotaryDimension(headDimension: 16) == 4)
        let scaled = try rope([
            "rope_scaling": ["type": "linear", "factor": 2], "rope_parameters": ["rope_type": "yarn"],
        ])
        #expect(scaled?.scaling == .linear(factor: 2))
    }

    @Test func outerOriginalLengthWinsUnlessNested() throws {
        let scaling: JSONValue = [
            "rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4,
            "original_max_position_embeddings": 100,
        ]
        guard
            case .llama3(let flat) = try rope(["rope_scaling": scaling, "original_max_position_embeddings": 50])?
                .scaling
        else { return #expect(Bool(false), "not llama3") }
        #expect(flat.originalMaximumPositions == 50)
        guard
            case .llama3(let nested) = try rope([
                "layer_types": ["full_attention", "full_attention"], "original_max_position_embeddings": 50,
                "rope_parameters": ["full_attention": scaling],
            ])?.scaling
        else { return #expect(Bool(false), "not llama3") }
        #expect(nested.originalMaximumPositions == 100)
    }

    @Test func suIsLongrope() throws {
        let factors = JSONValue.array(Array(repeating: 1.5, count: 8))
        let rope = try rope(["rope_scaling": ["type": "su", "short_factor": factors, "long_factor": factors]])
        guard case .longrope(let longrope) = rope?.scaling else { return #expect(Bool(false), "not longrope") }
        #expect(longrope.attentionFactor == 1 && longrope.originalMaximumPositions == 2048)
    }

    @Test func kindsOfLayersWithoutParametersHaveNone() throws {
        var object = ModelConfigTests.base
        object["layer_types"] = ["full_attention", "sliding_attention"]
        object["rope_parameters"] = ["sliding_attention": ["rope_theta": 1000], "full_attention": nil]
        let config = try ModelConfig(ConfigFields(file: "config.json", object: object))
        #expect(config.rope(layer: 0) == nil && config.rope(layer: 1)?.theta == 1000)
    }

    /// Windows, bases and attention factors of configurations that transformers wrote, against its own modelling code.
    @Test func agreesWithTransformers() throws {
        for (name, expected) in try #require(try Fixtures.json("configs.json").object) {
            let config = try ModelConfig(try ConfigFields(path: Fixtures.folder + "/configs/\(name).json"))
            let layers = try #require(expected["layers"]?.array)
            #expect(layers.count == config.layerCount)
            for (index, layer) in layers.enumerated() {
                let rope = try #require(config.rope(layer: index))
                #expect(config.slidingWindow(layer: index) == layer["window"]?.int, "\(name) \(index)")
                #expect(rope.theta == layer["theta"]?.double, "\(name) \(index)")
                #expect(rope.scaling.typeName == layer["rope_type"]?.string, "\(name) \(index)")
                let factor = try #require(layer["attention_factor"]?.double)
                #expect(abs(rope.scaling.attentionFactor - factor) < 1e-12, "\(name) \(index)")
            }
        }
    }
}

extension RopeScaling {
    fileprivate var typeName: String {
        switch self {
        case .none: "default"
        case .linear: "linear"
        case .dynamic: "dynamic"
        case .llama3: "llama3"
        case .yarn: "yarn"
        case .longrope: "longrope"
        }
    }

    fileprivate var attentionFactor: Double {
        switch self {
        case .yarn(let yarn): yarn.attentionFactor
        case .longrope(let longrope): longrope.attentionFactor
        default: 1
        }
    }
}
