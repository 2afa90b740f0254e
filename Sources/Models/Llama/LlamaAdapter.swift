internal import Adapters
import CKernels
import Checkpoints
import Compute

/// An adapter for a model of the Llama family, packed: for every group of linear layers that share their input, what it
/// adds to their outputs.
final class LlamaAdapter: PackedAdapter, @unchecked Sendable {
    struct Layer {
        /// q, k and v.
        var attention = AdapterGroup()
        var attentionOutput = AdapterGroup()
        /// Gate and up.
        var feedForward = AdapterGroup()
        var feedForwardOutput = AdapterGroup()
    }

    let digest: AdapterDigest
    private(set) var layers: [Layer]
    private(set) var byteCount = 0

    init(_ adapter: LoadedAdapter, _ shape: ModelShape, intermediateSize: Int) throws {
        digest = adapter.digest
        layers = Array(repeating: Layer(), count: shape.layers)
        try Self.refuse(adapter)
        for delta in adapter.effects.deltas { try add(delta, shape) }
        // A file that was written into while it was packed is not what was checked.
        guard adapter.currentDigest() == adapter.digest else {
            throw CheckpointError(
                .malformed, file: adapter.baseModel ?? "adapter", "changed while it was loaded",
                advice: "load it again when nobody writes to it")
        }
    }

    /// Longest vector between A and B that a group of one of the layers needs.
    var widestGroup: Int {
        layers.reduce(0) {
            max($0, $1.attention.rank, $1.attentionOutput.rank, $1.feedForward.rank, $1.feedForwardOutput.rank)
        }
    }

    private static func refuse(_ adapter: LoadedAdapter) throws(CheckpointError) {
        let effects = adapter.effects
        let problem: String? =
            if effects.promptEmbeddings != nil || effects.prefix != nil {
                "puts positions before the prompt"
            } else if let scale = effects.scales.first {
                "scales the \(scale.side.rawValue)s of \(scale.module)"
            } else if let replacement = effects.replacements.first(where: { !$0.isBaseCopy }) {
                "replaces the \(replacement.parameter.rawValue) of \(replacement.module)"
            } else if let rows = effects.tokenRows.first {
                "replaces rows of \(rows.module)"
            } else if let delta = effects.deltas.first(where: { $0.magnitude != nil }) {
                "has a magnitude (DoRA) for \(delta.module)"
            } else {
                nil
            }
        guard let problem else { return }
        throw CheckpointError(
            .unsupported, file: adapter.kind.rawValue, problem + ", which cannot be served yet",
            advice: "adapters of low-rank changes to linear layers can: LoRA, rsLoRA, AdaLoRA, VeRA, Activated LoRA")
    }

    private func add(_ delta: LowRankDelta, _ shape: ModelShape) throws {
        let parts = delta.module.split(separator: ".")
        guard parts.count >= 5, parts[1] == "layers", let layer = Int(parts[2]), layers.indices.contains(layer),
            let last = parts.last
        else { throw unsupported(delta) }
        let queries = shape.heads * shape.headDim
        let keys = shape.kvHeads * shape.headDim
        switch last {
        case "q_proj": try add(delta, to: \.attention, layer, at: 0)
        case "k_proj": try add(delta, to: \.attention, layer, at: queries)
        case "v_proj": try add(delta, to: \.attention, layer, at: queries + keys)
        case "o_proj": try add(delta, to: \.attentionOutput, layer, at: 0)
        case "gate_proj": try add(delta, to: \.feedForward, layer, at: 0, lane: 0)
        case "up_proj": try add(delta, to: \.feedForward, layer, at: 0, lane: 1)
        case "down_proj": try add(delta, to: \.feedForwardOutput, layer, at: 0)
        default: throw unsupported(delta)
        }
    }

    private func unsupported(_ delta: LowRankDelta) -> CheckpointError {
        CheckpointError(
            .unsupported, file: "adapter", subject: "module '\(delta.module)'", "cannot be changed by an adapter yet",
            advice: "the linear layers of attention and feed-forward can")
    }

    private func add(
        _ delta: LowRankDelta, to group: WritableKeyPath<Layer, AdapterGroup>, _ layer: Int, at column: Int,
        lane: Int? = nil
    ) throws {
        let part = try AdapterPart(
            delta, vectorOffset: layers[layer][keyPath: group].rank, column: column, lane: lane)
        layers[layer][keyPath: group].parts.append(part)
        byteCount += part.byteCount
    }
}
