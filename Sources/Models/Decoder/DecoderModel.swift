internal import Adapters
import CKernels
import Checkpoints
import Compute

/// Parameters of a norm.
struct DecoderNorm {
    let weight: FloatBuffer
    /// Nil where the kind of norm has none.
    var bias: FloatBuffer?
}

/// Weights of a decoder, packed.
final class DecoderModel: @unchecked Sendable {
    struct Layer {
        let inputNorm: DecoderNorm
        /// Queries, keys and values side by side.
        let attention: PackedLinear
        let attentionOutput: PackedLinear
        let feedForwardNorm: DecoderNorm
        /// Gate and up, alternating, or one matrix.
        let feedForward: PackedLinear
        let feedForwardOutput: PackedLinear
    }

    let shape: ModelShape
    let formats: WeightFormats
    /// The type of tables and of weights that adapters bring.
    let storage: StorageType
    let description: DecoderDescription
    let catalog: ModelCatalog
    /// Where each module of the catalog lies.
    let places: [String: DecoderPlace]
    let intermediateSize: Int
    let normEpsilon: Float
    let activation: mk_activation
    let isGated: Bool
    /// For each query head, where scores fall with the distance.
    let slopes: FloatBuffer?
    let embeddingNorm: DecoderNorm?
    let layers: [Layer]
    let outputNorm: DecoderNorm
    let head: PackedLinear
    /// Nil where the head's weights are the embeddings.
    let embeddings: EmbeddingTable?

    init(_ description: DecoderDescription, _ source: ModelSource, pool: WorkerPool) throws {
        let config = description.config
        let modules = description.modules
        self.description = description
        catalog = description.catalog
        places = Dictionary(
            description.placedModules.map { ($0.module.name, $0.place) }, uniquingKeysWith: { first, _ in first })
        intermediateSize = config.intermediateSize
        normEpsilon = Float(config.normEpsilon)
        activation = description.activation

        if case .gated = modules.feedForward { isGated = true } else { isGated = false }
        if case .linearBias = description.positions {
            slopes = try LinearBias.slopes(heads: config.headCount)
        } else {
            slopes = nil
        }

        let loader = WeightLoader(source, pool: pool, base: modules.base, embedding: modules.embedding)
        formats = loader.formats
        storage = loader.storage
        embeddingNorm = try modules.embeddingNorm.map { try Self.norm($0, description, loader) }
        let hidden = config.hiddenSize
        let vocabulary = config.vocabularySize
        layers = try (0..<config.layerCount).map { try Self.layer($0, description, loader) }
        outputNorm = try Self.norm(modules.outputNorm, description, loader)
        if config.tiesWordEmbeddings {
            head = try loader.head(inputs: hidden, .init(name: modules.embedding, outputs: vocabulary))
            embeddings = nil
        } else {
            head = try loader.head(inputs: hidden, .init(name: modules.head, outputs: vocabulary))
            embeddings = try loader.table(modules.embedding + ".weight", rows: vocabulary, columns: hidden)
        }
        try loader.finish { name in
            // Old exports store the rotary frequencies; a tied head may be stored a second time.
            name.hasSuffix("rotary_emb.inv_freq") || (config.tiesWordEmbeddings && name == modules.head + ".weight")
        }
        shape = ModelShape(
            architecture: config.modelType, dtype: source.dtype, layers: config.layerCount, hiddenSize: hidden,
            heads: config.headCount, kvHeads: config.keyValueHeadCount, headDim: config.headDimension,
            vocabularySize: vocabulary, maxPositions: config.maximumPositions,
            parameterCount: loader.parameterCount, weightBytes: loader.weightBytes,
            weightBytesPerStep: loader.weightBytes - (embeddings?.byteCount ?? 0))
    }

    /// The token's embedding.
    func readEmbedding(_ token: Int32, to out: UnsafeMutablePointer<Float>) {
        if let embeddings { return embeddings.read(Int(token), to: out) }
        head.read(column: Int(token), 0..<shape.hiddenSize, to: out)
    }

    /// The fused layer of a group, as `DecoderAdapter.group` counts.
    func linear(group: Int) -> PackedLinear {
        let sites = DecoderAdapter.Site.allCases
        guard group < sites.count * layers.count else { return head }
        let layer = layers[group / sites.count]
        switch sites[group % sites.count] {
        case .attention: return layer.attention
        case .attentionOutput: return layer.attentionOutput
        case .feedForward: return layer.feedForward
        case .feedForwardOutput: return layer.feedForwardOutput
        }
    }

    /// A norm by its index, as `DecoderAdapter.norm` counts.
    func norm(_ index: Int) -> DecoderNorm? {
        if index == DecoderAdapter.embeddingNorm(layers: layers.count) { return embeddingNorm }
        if index == DecoderAdapter.outputNorm(layers: layers.count) { return outputNorm }
        let norms = DecoderAdapter.Norm.allCases
        let layer = layers[index / norms.count]
        switch norms[index % norms.count] {
        case .input: return layer.inputNorm
        case .feedForward: return layer.feedForwardNorm
        }
    }

    private static func layer(
        _ index: Int, _ description: DecoderDescription, _ loader: WeightLoader
    ) throws -> Layer {
        let config = description.config
        let modules = description.modules
        func named(_ linear: DecoderModules.Linear) -> DecoderModules.Linear {
            .init(
                name: modules.name(linear.name, layer: index), outputs: linear.outputs, hasBias: linear.hasBias)
        }
        let feedForward =
            switch modules.feedForward {
            case .plain(let linear): try loader.fused(inputs: config.hiddenSize, [named(linear)])
            case .gated(let gate, let up): try loader.gated(inputs: config.hiddenSize, named(gate), named(up))
            }
        return Layer(
            inputNorm: try norm(modules.name(modules.inputNorm, layer: index), description, loader),
            attention: try loader.fused(inputs: config.hiddenSize, modules.attention.map(named)),
            attentionOutput: try loader.fused(inputs: description.queryChannels, [named(modules.attentionOutput)]),
            feedForwardNorm: try norm(modules.name(modules.feedForwardNorm, layer: index), description, loader),
            feedForward: feedForward,
            feedForwardOutput: try loader.fused(inputs: config.intermediateSize, [named(modules.feedForwardOutput)]))
    }

    private static func norm(
        _ name: String, _ description: DecoderDescription, _ loader: WeightLoader
    ) throws -> DecoderNorm {
        let size = description.config.hiddenSize
        let weight = try loader.vector(name + ".weight", count: size)
        switch description.norm {
        case .rms: return DecoderNorm(weight: weight)
        case .layer: return DecoderNorm(weight: weight, bias: try loader.vector(name + ".bias", count: size))
        }
    }
}
