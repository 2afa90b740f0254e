package import Adapters
import Checkpoints
import Compute

/// The architectures that can be loaded, by `model_type`.
package enum ModelRegistry {
    typealias Describer = @Sendable (ModelConfig) throws(CheckpointError) -> DecoderDescription

    static let decoders: [String: Describer] = [
        "bloom": DecoderDescription.bloom, "llama": DecoderDescription.llama,
        "mistral": DecoderDescription.mistral, "qwen2": DecoderDescription.qwen2,
    ]

    /// Every `model_type` that can be loaded.
    package static var modelTypes: Set<String> { Set(decoders.keys) }

    /// The modules of the model in `folder`; reads its configuration only.
    package static func catalog(folder: String) throws(CheckpointError) -> ModelCatalog {
        try describe(try ModelConfig(folder: folder, supported: modelTypes)).catalog
    }

    static func describe(_ config: ModelConfig) throws(CheckpointError) -> DecoderDescription {
        guard let describe = decoders[config.modelType] else {
            throw config.fields.mismatch("model_type", "is not supported", kind: .unsupported)
        }
        return try describe(config)
    }
}

/// What an architecture's loader is given.
package struct ModelSource: Sendable {
    package let config: ModelConfig
    package let tensors: TensorStore
    /// Never `auto`.
    package let dtype: ModelDType
    package let quantization: Quantization
    /// Whether bfloat16 weights may be held in 12 bits, where that is faster.
    package let compressesWeights: Bool
    package let kernels: KernelSet
    /// Where packed weights are kept from one start to the next; nil packs them at every start.
    package let weightCache: String?
    /// Called with what the user should know beside errors.
    package let note: @Sendable (String) -> Void
    /// Called with the part of the weights that is loaded, from 0 to 1.
    package let progress: @Sendable (Double) -> Void
}

/// Loads the model in `folder`.
///
/// - Parameters:
///   - compressesWeights: see `ModelSource`.
///   - weightCache: see `ModelSource`.
/// - Throws: `CheckpointError` for whatever is wrong with its files, `ComputeError` when memory does not suffice.
package func loadModel(
    folder: String, dtype: ModelDType, quantization: Quantization = .none, compressesWeights: Bool = true,
    pool: WorkerPool, kernels: KernelSet = .default, weightCache: String? = nil,
    progress: @escaping @Sendable (Double) -> Void = { _ in }, note: @escaping @Sendable (String) -> Void = { _ in }
) throws -> any ModelRunner {
    let config = try ModelConfig(folder: folder, supported: ModelRegistry.modelTypes)
    let description = try ModelRegistry.describe(config)
    let tensors = try TensorStore(folder: folder)
    let source = ModelSource(
        config: config, tensors: tensors, dtype: dtype == .auto ? automaticType(config, tensors) : dtype,
        quantization: quantization, compressesWeights: compressesWeights, kernels: kernels, weightCache: weightCache,
        note: note, progress: progress)
    return try DecoderRunner(description, source, pool: pool)
}

/// What `auto` means for a checkpoint: see `ModelDType.auto`. Where the configuration is silent the weights tell.
private func automaticType(_ config: ModelConfig, _ tensors: TensorStore) -> ModelDType {
    let weights = tensors.names.first.flatMap { try? tensors.tensor($0).dtype }
    return (config.dtype ?? weights) == .bfloat16 ? .bfloat16 : .float32
}
