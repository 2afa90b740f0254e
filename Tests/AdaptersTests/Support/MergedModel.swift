import Adapters
import Checkpoints

/// A model's parameters with an adapter's effects written into them, in double precision.
struct MergedModel {
    private(set) var parameters: [String: Matrix]
    private let catalog: ModelCatalog

    init(_ model: String) throws {
        catalog = try Folders.catalog(model)
        parameters = try Matrix.all(Folders.fixtures + "/models/\(model)/model.safetensors")
        if catalog.tiesHead { parameters[catalog.head + ".weight"] = parameters[catalog.embedding + ".weight"] }
    }

    /// Names of parameters that differ from those of `other`.
    func changes(from other: MergedModel) -> Set<String> {
        Set(parameters.keys.filter { parameters[$0]?.values != other.parameters[$0]?.values })
    }

    mutating func apply(_ effects: AdapterEffects) {
        for replacement in effects.replacements {
            parameters["\(replacement.module).\(replacement.parameter.rawValue)"] = Matrix(replacement.values)
        }
        for rows in effects.tokenRows { apply(rows) }
        for delta in effects.deltas { apply(delta) }
        for scale in effects.scales { apply(scale) }
    }

    private mutating func apply(_ rows: TokenRows) {
        let values = Matrix(rows.rows)
        for module in Set([rows.module] + (rows.changesHead ? [catalog.head] : [])) {
            for (row, token) in rows.tokens.enumerated() {
                for column in 0..<values.columns {
                    parameters[module + ".weight"]?[Int(token), column] = values[row, column]
                }
            }
        }
    }

    private mutating func apply(_ delta: LowRankDelta) {
        guard var weight = parameters[delta.module + ".weight"] else { return }
        let isEmbedding = catalog[delta.module]?.kind == .embedding
        if isEmbedding { weight = weight.transposed }
        weight.add(Matrix(delta.up).times(Matrix(delta.down)), times: delta.scale)
        if let magnitude = delta.magnitude.map(Matrix.init) {
            let norms = (0..<weight.rows).map { row in
                (0..<weight.columns).reduce(0) { $0 + weight[row, $1] * weight[row, $1] }.squareRoot()
            }
            weight.scaleRows(zip(magnitude.values, norms).map { $0 / $1 })
        }
        parameters[delta.module + ".weight"] = isEmbedding ? weight.transposed : weight
        if let bias = delta.bias { parameters[delta.module + ".bias"]?.add(Matrix(bias), times: delta.scale) }
    }

    private mutating func apply(_ scale: ModuleScale) {
        let factors = Matrix(scale.factors).values
        switch scale.side {
        case .output:
            parameters[scale.module + ".weight"]?.scaleRows(factors)
            parameters[scale.module + ".bias"]?.scaleRows(factors)
        case .input:
            guard var weight = parameters[scale.module + ".weight"]?.transposed else { return }
            weight.scaleRows(factors)
            parameters[scale.module + ".weight"] = weight.transposed
        }
    }
}
