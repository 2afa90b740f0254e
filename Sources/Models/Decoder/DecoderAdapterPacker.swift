internal import Adapters
import CKernels
import Checkpoints
import Compute

/// Brings an adapter's effects into the kernels' formats, module by module.
struct DecoderAdapterPacker {
    private let model: DecoderModel
    private let kernels: mk_tensor_kernels
    private(set) var groups: [AdapterGroup]
    private(set) var norms: [DecoderNorm?]
    private var normBytes = 0
    private(set) var embedding: EmbeddingChange?
    private(set) var headRows: HeadRows?
    /// Modules whose replaced weights are the model's own.
    private(set) var copies: Set<String> = []

    /// All that an adapter does to one module.
    private struct Change {
        var delta: LowRankDelta?
        var inputFactors: TensorView?
        var outputFactors: TensorView?
        var weight: TensorView?
        var bias: TensorView?
        var rows: TokenRows?
    }

    /// A module in the model's fused layers.
    private struct Target {
        let group: Int
        let layer: PackedLinear
        let column: Int
        let lane: Int?
    }

    init(_ model: DecoderModel, _ kernels: mk_tensor_kernels) {
        self.model = model
        self.kernels = kernels
        let layers = model.shape.layers
        groups = Array(repeating: AdapterGroup(), count: DecoderAdapter.head(layers: layers) + 1)
        norms = Array(repeating: nil, count: DecoderAdapter.embeddingNorm(layers: layers) + 1)
    }

    var byteCount: Int {
        groups.reduce(0) { $0 + $1.byteCount } + normBytes
            + (embedding?.byteCount ?? 0) + (headRows?.byteCount ?? 0)
    }

    mutating func add(_ effects: AdapterEffects) throws {
        var changes: [String: Change] = [:]
        for delta in effects.deltas { changes[delta.module, default: Change()].delta = delta }
        for scale in effects.scales {
            switch scale.side {
            case .input: changes[scale.module, default: Change()].inputFactors = scale.factors
            case .output: changes[scale.module, default: Change()].outputFactors = scale.factors
            }
        }
        for replacement in effects.replacements {
            switch replacement.parameter {
            case .weight: changes[replacement.module, default: Change()].weight = replacement.values
            case .bias: changes[replacement.module, default: Change()].bias = replacement.values
            }
        }
        for rows in effects.tokenRows {
            changes[rows.module, default: Change()].rows = rows
            if rows.changesHead { headRows = try HeadRows(rows, storage: model.storage) }
        }
        for module in model.catalog.modules {
            if let change = changes.removeValue(forKey: module.name) { try add(change, to: module) }
        }
        if let name = changes.keys.min() { throw unsupported(name, "is not a module that adapters can change") }
    }

    private mutating func add(_ change: Change, to module: ModelCatalog.Module) throws {
        switch model.places[module.name] {
        case .norm(let index):
            guard let own = model.norm(index) else { throw unsupported(module.name, "is not in the model") }
            norms[index] = DecoderNorm(
                weight: try change.weight.map { try FloatBuffer($0) } ?? own.weight,
                bias: try change.bias.map { try FloatBuffer($0) } ?? own.bias)
            normBytes += 4 * ((change.weight?.count ?? 0) + (change.bias?.count ?? 0))
        case .embedding: try addEmbedding(change)
        case .linear(let group, let column, let lane):
            try addLinear(
                change, module, Target(group: group, layer: model.linear(group: group), column: column, lane: lane))
        case nil: throw unsupported(module.name, "is not a module that adapters can change")
        }
    }

    private func unsupported(_ module: String, _ problem: String) -> CheckpointError {
        CheckpointError(.unsupported, file: "adapter", subject: "module '\(module)'", problem)
    }

    // MARK: Linear layers

    private mutating func addLinear(_ change: Change, _ module: ModelCatalog.Module, _ target: Target) throws {
        let layer = target.layer
        let place = ModulePlace(
            column: target.column,
            outputs: change.weight?.shape[0] ?? change.delta?.up.shape[0] ?? module.outputs, lane: target.lane)
        guard change.inputFactors == nil || change.delta == nil else {
            throw unsupported(module.name, "has factors for its inputs and a low-rank change")
        }
        guard change.delta?.magnitude == nil || change.delta?.bias == nil else {
            throw unsupported(module.name, "has a magnitude (DoRA) and a bias in its low-rank change")
        }
        let weights = try change.weight.flatMap { try self.weights($0, layer, place) }
        if change.weight != nil, weights == nil { copies.insert(module.name) }
        let hasProduct = weights != nil || change.inputFactors != nil
        if hasProduct {
            let factors = try change.inputFactors.map { try FloatBuffer($0) }
            groups[target.group].products.append(AdapterProduct(place: place, weights: weights, inputFactors: factors))
        }
        var magnitudes: FloatBuffer?
        if let delta = change.delta {
            let part = try AdapterPart(delta, vectorOffset: groups[target.group].rank, at: place)
            groups[target.group].parts.append(part)
            magnitudes = try delta.magnitude.map { magnitude in
                try MagnitudeFactors(kernels: kernels).linear(delta, part, FloatBuffer(magnitude)) { panel, out in
                    if let weights {
                        weights.read(panel: panel - place.firstPanel, to: out)
                    } else {
                        layer.read(panel: place.fusedPanel(panel), to: out)
                    }
                }
            }
        }
        let own = try ownBias(layer, place)
        guard magnitudes != nil || change.outputFactors != nil || change.bias != nil || (hasProduct && own != nil)
        else { return }
        groups[target.group].outputs.append(
            try AdapterOutput(
                place, inner: magnitudes, outer: change.outputFactors.map { try FloatBuffer($0) },
                applied: hasProduct ? nil : own, wanted: change.bias.map { try FloatBuffer($0) } ?? own))
    }

    /// Other weights of a module; nil if they are a copy of the model's own, as PEFT stores with changed vocabularies.
    private func weights(_ tensor: TensorView, _ layer: PackedLinear, _ place: ModulePlace) throws -> PackedLinear? {
        let weights = try packed(tensor, inputs: layer.inputs, place, WeightFormat(model.storage))
        // What the model rounded further is a copy if rounding it likewise gives the same.
        let comparable =
            layer.format.isRounded ? try packed(tensor, inputs: layer.inputs, place, layer.format) : weights
        return comparable.hasWeights(of: layer) ? nil : weights
    }

    private func packed(
        _ tensor: TensorView, inputs: Int, _ place: ModulePlace, _ format: WeightFormat
    ) throws -> PackedLinear {
        let weights = try PackedLinear(inputs: inputs, outputs: place.shift + place.outputs, format: format)
        tensor.withBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            weights.pack(base, type: tensor.storage, rows: place.outputs, from: place.shift)
        }
        return weights
    }

    /// The model's bias of a module, if it has one.
    private func ownBias(_ layer: PackedLinear, _ place: ModulePlace) throws -> FloatBuffer? {
        guard let bias = layer.bias else { return nil }
        let out = try FloatBuffer(count: place.outputs)
        for panel in place.panels {
            guard let columns = place.columns(of: panel, lane: place.lane) else { continue }
            let from = bias.values + place.fusedPanel(panel) * PackedLinear.panel + columns.lowerBound
            mk_copy_rows(out.values + place.output(of: panel), 0, from, 0, 1, columns.count)
        }
        return out
    }

    // MARK: Vocabulary

    private mutating func addEmbedding(_ change: Change) throws {
        let hidden = model.shape.hiddenSize
        let table = try change.weight.flatMap { tensor -> EmbeddingTable? in
            let table = try EmbeddingTable(
                tensor, rows: tensor.shape[0], columns: hidden, storage: model.storage)
            return try isOwn(table, tensor) ? nil : table
        }
        if change.weight != nil, table == nil { copies.insert(model.catalog.embedding) }
        let rows = try change.rows.map {
            try EmbeddingTable($0.rows, rows: $0.tokens.count, columns: hidden, storage: model.storage)
        }
        var places: [Int32: Int] = [:]
        for (place, token) in (change.rows?.tokens ?? []).enumerated() { places[token] = place }
        let plain = EmbeddingChange(table: table, rows: rows, places: places, delta: nil)
        let own = model
        let delta = try change.delta.map {
            try EmbeddingDelta($0, kernels) { token, out in
                if !plain.read(Int32(token), to: out) { own.readEmbedding(Int32(token), to: out) }
            }
        }
        embedding = EmbeddingChange(table: table, rows: rows, places: places, delta: delta)
    }

    /// Whether the embeddings are a copy of the model's own.
    private func isOwn(_ table: EmbeddingTable, _ tensor: TensorView) throws -> Bool {
        if let own = model.embeddings { return table.equals(own) }
        let place = ModulePlace(column: 0, outputs: tensor.shape[0], lane: nil)
        return try weights(tensor, model.head, place) == nil
    }
}
