internal import Adapters
import Checkpoints

/// Where the parameters of a module lie in a packed model.
enum DecoderPlace: Sendable {
    case embedding
    /// - Parameter index: of the norm, as `DecoderAdapter.norm` counts.
    case norm(index: Int)
    /// - Parameters:
    ///   - group: of the fused layer, as `DecoderAdapter.group` counts.
    ///   - column: the module's first output in the fused layer.
    ///   - lane: gate (0) or up (1) of a layer whose panels alternate.
    case linear(group: Int, column: Int, lane: Int?)
}

extension DecoderDescription {
    /// What adapters must know of the model.
    var catalog: ModelCatalog {
        ModelCatalog(
            modules: placedModules.map(\.module), embedding: modules.embedding, head: modules.head,
            tiesHead: config.tiesWordEmbeddings, vocabularySize: config.vocabularySize,
            hiddenSize: config.hiddenSize,
            keyValueShapes: Array(
                repeating: .init(heads: config.keyValueHeadCount, dimension: config.headDimension), count: layers))
    }

    /// All modules in the order of the model, each with its place.
    var placedModules: [(module: ModelCatalog.Module, place: DecoderPlace)] {
        let hidden = config.hiddenSize
        let vocabulary = config.vocabularySize
        var placed: [(module: ModelCatalog.Module, place: DecoderPlace)] = [
            (.init(name: modules.embedding, kind: .embedding, inputs: vocabulary, outputs: hidden), .embedding)
        ]
        if let name = modules.embeddingNorm {
            placed.append((norm(name), .norm(index: DecoderAdapter.embeddingNorm(layers: layers))))
        }
        for layer in 0..<layers { placed += placedModules(layer: layer) }
        placed.append((norm(modules.outputNorm), .norm(index: DecoderAdapter.outputNorm(layers: layers))))
        placed.append(
            (
                .init(name: modules.head, kind: .linear, inputs: hidden, outputs: vocabulary),
                .linear(group: DecoderAdapter.head(layers: layers), column: 0, lane: nil)
            ))
        return placed
    }

    private func norm(_ name: String, layer: Int? = nil) -> ModelCatalog.Module {
        .init(
            name: layer.map { modules.name(name, layer: $0) } ?? name, kind: .norm, inputs: config.hiddenSize,
            outputs: config.hiddenSize, layer: layer, hasBias: norm == .layer)
    }

    private func placedModules(layer: Int) -> [(module: ModelCatalog.Module, place: DecoderPlace)] {
        var placed: [(module: ModelCatalog.Module, place: DecoderPlace)] = []
        func add(norm name: String, _ kind: DecoderAdapter.Norm) {
            placed.append((norm(name, layer: layer), .norm(index: DecoderAdapter.norm(kind, layer: layer))))
        }
        func add(
            _ linear: DecoderModules.Linear, _ site: DecoderAdapter.Site, inputs: Int, column: Int = 0, lane: Int? = nil
        ) {
            placed.append(
                (
                    .init(
                        name: modules.name(linear.name, layer: layer), kind: .linear, inputs: inputs,
                        outputs: linear.outputs, layer: layer, hasBias: linear.hasBias),
                    .linear(group: DecoderAdapter.group(site, layer: layer), column: column, lane: lane)
                ))
        }
        add(norm: modules.inputNorm, .input)
        var column = 0
        for linear in modules.attention {
            add(linear, .attention, inputs: config.hiddenSize, column: column)
            column += linear.outputs
        }
        add(modules.attentionOutput, .attentionOutput, inputs: queryChannels)
        add(norm: modules.feedForwardNorm, .feedForward)
        switch modules.feedForward {
        case .plain(let linear): add(linear, .feedForward, inputs: config.hiddenSize)
        case .gated(let gate, let up):
            add(gate, .feedForward, inputs: config.hiddenSize, lane: 0)
            add(up, .feedForward, inputs: config.hiddenSize, lane: 1)
        }
        add(modules.feedForwardOutput, .feedForwardOutput, inputs: config.intermediateSize)
        return placed
    }
}
