/// What `config.json` says about a decoder-only language model, in the spellings of transformers 4 and 5, checked.
///
/// `auto_map` and everything else that would run code is ignored. Fields that only one architecture knows are read by
/// that architecture from `fields`.
package struct ModelConfig: Sendable {
    /// All fields of the file.
    package let fields: ConfigFields
    package let modelType: String
    package let architectures: [String]

    package let vocabularySize: Int
    package let hiddenSize: Int
    package let intermediateSize: Int
    package let layerCount: Int
    package let headCount: Int
    package let keyValueHeadCount: Int
    package let headDimension: Int
    package let maximumPositions: Int

    /// Name of the MLP's activation function, as in the file (`silu`).
    package let activation: String
    package let normEpsilon: Double
    package let hasAttentionBias: Bool
    package let hasMLPBias: Bool
    package let tiesWordEmbeddings: Bool

    /// Kind of each layer (`full_attention`, `sliding_attention`, …) where the file tells, else empty.
    package let layerTypes: [String]
    /// Length of the attention window of the layers that have one, in tokens.
    package let slidingWindow: Int?
    /// First layer with a window, where the file has no `layer_types`.
    private let firstSlidingLayer: Int
    private let ropeByLayerType: [String?: RopeParameters]

    package let beginTokenID: Int32?
    package let endTokenIDs: [Int32]
    package let padTokenID: Int32?
    /// The type in which the weights were saved, where the file tells.
    package let dtype: TensorDType?

    static let maximumPositions = 1 << 30

    /// Reads `config.json` in `folder`. A `model_type` that is not in `supported` (unless that is nil) is refused.
    package init(folder: String, supported: Set<String>? = nil) throws(CheckpointError) {
        try self.init(try ConfigFields(path: folder + "/config.json"), supported: supported)
    }

    package init(_ fields: ConfigFields, supported: Set<String>? = nil) throws(CheckpointError) {
        self.fields = fields
        modelType = try Self.modelType(fields, supported)
        try Self.refuseQuantized(fields)
        architectures = try fields.strings("architectures") ?? []

        vocabularySize = try fields.requiredInt("vocab_size", in: 1...1 << 24)
        let defaults = ConfigDefaults(modelType)
        hiddenSize = try fields.requiredInt("hidden_size", orElse: "n_embed", in: 1...1 << 20)
        intermediateSize = try Self.intermediateSize(fields, defaults, hiddenSize: hiddenSize)
        layerCount = try fields.requiredInt("num_hidden_layers", orElse: "n_layer", in: 1...4096)
        headCount = try fields.requiredInt("num_attention_heads", orElse: "n_head", in: 1...4096)
        keyValueHeadCount = try fields.int("num_key_value_heads", in: 1...4096) ?? headCount
        guard headCount.isMultiple(of: keyValueHeadCount) else {
            throw fields.mismatch(
                "num_key_value_heads",
                "is \(keyValueHeadCount), expected a divisor of num_attention_heads, \(headCount)")
        }
        headDimension = try Self.headDimension(fields, hiddenSize: hiddenSize, headCount: headCount)
        let positions = 2...Self.maximumPositions
        let length = try fields.int("seq_length", in: positions)
        maximumPositions = try fields.int("max_position_embeddings", in: positions) ?? length ?? defaults.positions

        let otherActivation = try fields.string("hidden_activation") ?? "silu"
        activation = try fields.string("hidden_act") ?? otherActivation
        let layerEpsilon = try fields.double("layer_norm_epsilon", in: 0...1) ?? defaults.normEpsilon
        normEpsilon = try fields.double("rms_norm_eps", in: 0...1) ?? layerEpsilon
        hasAttentionBias = try fields.bool("attention_bias") ?? false
        hasMLPBias = try fields.bool("mlp_bias") ?? false
        tiesWordEmbeddings = try fields.bool("tie_word_embeddings") ?? defaults.tiesWordEmbeddings

        layerTypes = try Self.layerTypes(fields, count: layerCount)
        (slidingWindow, firstSlidingLayer) = try Self.window(fields, defaults, modelType: modelType)
        let rope = RopeContext(
            headDimension: headDimension, maximumPositions: maximumPositions, layerTypes: Set(layerTypes))
        ropeByLayerType = defaults.isRotary ? try RopeParameters.read(fields, rope) : [:]

        beginTokenID = try fields.tokenID("bos_token_id")
        endTokenIDs = try fields.tokenIDs("eos_token_id")
        padTokenID = try fields.tokenID("pad_token_id")
        dtype = try Self.dtype(fields)
    }

    /// The length of the attention window of `layer` in tokens, or nil where it attends to everything before it.
    package func slidingWindow(layer: Int) -> Int? {
        if layer < layerTypes.count { return layerTypes[layer] == "sliding_attention" ? slidingWindow : nil }
        return layer >= firstSlidingLayer ? slidingWindow : nil
    }

    /// The rotary embedding of `layer`, or nil where the file gives its kind of layer none.
    package func rope(layer: Int) -> RopeParameters? {
        ropeByLayerType[nil] ?? (layer < layerTypes.count ? ropeByLayerType[layerTypes[layer]] : nil)
    }
}

extension ModelConfig {
    private static func modelType(
        _ fields: ConfigFields, _ supported: Set<String>?
    ) throws(CheckpointError) -> String {
        guard let type = try fields.string("model_type") else {
            throw fields.mismatch(
                "model_type", "is missing, so this is not a model's configuration", kind: .missing,
                advice: "an adapter's folder has adapter_config.json and needs its base model")
        }
        guard let supported, !supported.contains(type) else { return type }
        throw fields.mismatch(
            "model_type",
            "\(CheckpointError.quoted(type)) is not supported, expected one of \(supported.sorted().joined(separator: ", "))",
            kind: .unsupported)
    }

    private static func refuseQuantized(_ fields: ConfigFields) throws(CheckpointError) {
        guard let quantization = try fields.nested("quantization_config") else { return }
        let method = try quantization.string("quant_method") ?? "unnamed"
        throw fields.mismatch(
            "quantization_config",
            "the weights are quantized (\(CheckpointError.quoted(method))), which is not supported",
            kind: .unsupported, advice: "use the checkpoint in bfloat16, float16 or float32 that it was made from")
    }

    private static func intermediateSize(
        _ fields: ConfigFields, _ defaults: ConfigDefaults, hiddenSize: Int
    ) throws(CheckpointError) -> Int {
        guard let factor = defaults.expansion else {
            return try fields.requiredInt("intermediate_size", in: 1...1 << 22)
        }
        return factor * hiddenSize
    }

    private static func headDimension(
        _ fields: ConfigFields, hiddenSize: Int, headCount: Int
    ) throws(CheckpointError) -> Int {
        if let dimension = try fields.int("head_dim", in: 1...16_384) { return dimension }
        guard hiddenSize.isMultiple(of: headCount) else {
            throw fields.mismatch(
                "hidden_size",
                "is \(hiddenSize), expected a multiple of num_attention_heads, \(headCount), as there is no head_dim")
        }
        return hiddenSize / headCount
    }

    private static func layerTypes(_ fields: ConfigFields, count: Int) throws(CheckpointError) -> [String] {
        let types = try fields.strings("layer_types") ?? []
        guard types.isEmpty || types.count == count else {
            throw fields.mismatch(
                "layer_types", "expected \(count) entries, as num_hidden_layers says, found \(types.count)")
        }
        return types
    }

    /// The window and the first layer that has it.
    ///
    /// Qwen's configurations name a window that counts only when `use_sliding_window` is true, and only from
    /// `max_window_layers` on; those of Mistral and Phi-3 have it everywhere.
    private static func window(
        _ fields: ConfigFields, _ defaults: ConfigDefaults, modelType: String
    ) throws(CheckpointError) -> (length: Int?, firstLayer: Int) {
        let isQwen = modelType.hasPrefix("qwen")
        guard try fields.bool("use_sliding_window") ?? !isQwen else { return (nil, 0) }
        // Here null and absent differ: null means that there is none.
        let isSilent = fields.object["sliding_window"] == nil
        let length = isSilent ? defaults.slidingWindow : try fields.int("sliding_window", in: 1...maximumPositions)
        let first = isQwen ? try fields.int("max_window_layers", in: 0...1 << 20) ?? 28 : 0
        return (length, first)
    }

    private static func dtype(_ fields: ConfigFields) throws(CheckpointError) -> TensorDType? {
        for field in ["dtype", "torch_dtype"] {
            guard let name = try fields.string(field), name != "auto" else { continue }
            guard let dtype = TensorDType(torchName: name) else {
                throw fields.mismatch(
                    field,
                    "\(CheckpointError.quoted(name)) is not supported, expected 'float32', 'float16' or 'bfloat16'",
                    kind: .unsupported)
            }
            return dtype
        }
        return nil
    }
}
