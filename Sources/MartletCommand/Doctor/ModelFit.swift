import Checkpoints
import Engine
import Models

/// What one model needs in memory, and how much of it this machine has.
struct ModelFit: Equatable {
    let argument: String
    let folder: String
    let architecture: String
    let isSupported: Bool
    let parameterCount: Int
    /// `float32` or `bfloat16`: the arithmetic it would run in.
    let dtype: ModelDType
    let quantization: Quantization
    let weightBytes: Int
    let cacheBytesPerToken: Int
    /// Longest sequence that the model was made for.
    let maxPositions: Int
    let availableMemory: Int

    /// Reads configuration and headers of the weights in `folder`; no weights.
    init(
        argument: String, folder: String, dtype wanted: ModelDType, quantization: Quantization = .none,
        cacheDType: EngineConfiguration.CacheDType = .auto, availableMemory: Int
    ) throws {
        let config = try ModelConfig(folder: folder)
        let tensors = try TensorStore(folder: folder)
        let stored = try tensors.names.first.map { try tensors.tensor($0).dtype }
        self.argument = argument
        self.quantization = quantization
        self.folder = folder
        architecture = config.modelType
        isSupported = ModelRegistry.modelTypes.contains(config.modelType)
        dtype = wanted == .auto ? ((config.dtype ?? stored) == .bfloat16 ? .bfloat16 : .float32) : wanted
        parameterCount = try tensors.names.reduce(0) { $0 + (try tensors.tensor($1).shape.reduce(1, *)) }
        let bytes = dtype == .bfloat16 ? 2 : 4
        weightBytes = try tensors.names.reduce(0) { sum, name in
            let shape = try tensors.tensor(name).shape
            return sum + Self.bytes(ofWeight: name, shape, quantization, otherwise: bytes, config)
        }
        cacheBytesPerToken =
            2 * config.layerCount * config.keyValueHeadCount
            * Self.bytes(ofHead: config.headDimension, cacheDType, otherwise: bytes)
        maxPositions = config.maximumPositions
        self.availableMemory = availableMemory
    }

    /// Bytes of a tensor: matrices of linear layers are quantized, and an embedding that is the output head too.
    private static func bytes(
        ofWeight name: String, _ shape: [Int], _ quantization: Quantization, otherwise bytes: Int,
        _ config: ModelConfig
    ) -> Int {
        let count = shape.reduce(1, *)
        let isEmbedding = name.contains("embed")
        guard shape.count == 2, !isEmbedding || config.tiesWordEmbeddings else { return count * bytes }
        switch quantization {
        case .none: return count * bytes
        case .int4 where !isEmbedding && !name.contains("lm_head"): return count / 2 + count / 16
        case .int8, .int4: return count + shape[0] * 4
        }
    }

    /// Bytes of one head's key (or value) of one token.
    private static func bytes(
        ofHead dimension: Int, _ dtype: EngineConfiguration.CacheDType, otherwise bytes: Int
    ) -> Int {
        switch dtype {
        case .auto: dimension * bytes
        case .float32: dimension * 4
        case .bfloat16: dimension * 2
        case .int8: dimension + 4
        }
    }

    /// What the weights are held as.
    var weightType: String { quantization == .none ? dtype.rawValue : quantization.rawValue }

    var memoryAfterWeights: Int { max(0, availableMemory - weightBytes) }

    /// Tokens of KV cache that the default share of the rest holds.
    var cacheTokens: Int {
        Int(Double(memoryAfterWeights) * EngineConfiguration().memoryUtilization) / max(1, cacheBytesPerToken)
    }

    /// What speaks against serving it here, if anything.
    var problem: String? {
        if !isSupported {
            let known = ModelRegistry.modelTypes.sorted().joined(separator: ", ")
            return "The architecture '\(architecture)' is not supported (supported: \(known))."
        }
        if weightBytes > availableMemory {
            return "The weights need \(Format.bytes(weightBytes)), but only \(Format.bytes(availableMemory)) are free."
        }
        if cacheTokens < 1 { return "No memory is left for the KV cache." }
        return nil
    }
}
