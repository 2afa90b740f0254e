internal import Adapters
import CKernels
import Checkpoints
import Compute

/// An adapter for a decoder, packed: what it does to every place where a model has weights.
final class DecoderAdapter: PackedAdapter, @unchecked Sendable {
    /// Linear layers of a transformer layer that share their input.
    enum Site: Int, CaseIterable {
        /// Queries, keys and values.
        case attention
        case attentionOutput
        /// Gate and up, or one matrix.
        case feedForward
        case feedForwardOutput
    }

    /// The norms before attention and feed-forward.
    enum Norm: Int, CaseIterable {
        case input
        case feedForward
    }

    let digest: AdapterDigest
    let vocabularySize: Int
    let footprint: AdapterFootprint
    let byteCount: Int
    let virtualTokens: VirtualTokens?
    /// For every layer its sites, then the head.
    let groups: [AdapterGroup]
    /// For every layer its two norms, then the last one, then that of the embeddings; nil for the model's own.
    let norms: [DecoderNorm?]
    let embedding: EmbeddingChange?
    let headRows: HeadRows?
    /// Longest vector between A and B that a place needs.
    let widestVector: Int
    let hasNorms: Bool
    let hasProducts: Bool

    init(_ adapter: LoadedAdapter, _ model: DecoderModel, _ kernels: mk_tensor_kernels) throws {
        var packer = DecoderAdapterPacker(model, kernels)
        try packer.add(adapter.effects)
        digest = adapter.digest
        vocabularySize = adapter.vocabularySize
        footprint = AdapterFootprint(adapter.effects, head: model.catalog.head, copies: packer.copies)
        groups = packer.groups
        norms = packer.norms
        embedding = packer.embedding
        headRows = packer.headRows
        virtualTokens = try VirtualTokens(adapter.effects)
        byteCount = packer.byteCount + (virtualTokens?.byteCount ?? 0)
        widestVector = max(embedding?.delta?.rank ?? 0, groups.reduce(0) { max($0, $1.rank) })
        hasNorms = norms.contains { $0 != nil }
        hasProducts = groups.contains { !$0.products.isEmpty }
        // A file that was written into while it was packed is not what was checked.
        guard adapter.currentDigest() == adapter.digest else {
            throw CheckpointError(
                .malformed, file: adapter.baseModel ?? "adapter", "changed while it was loaded",
                advice: "load it again when nobody writes to it")
        }
    }

    static func group(_ site: Site, layer: Int) -> Int { Site.allCases.count * layer + site.rawValue }
    /// Index of the head's group.
    static func head(layers: Int) -> Int { Site.allCases.count * layers }

    static func norm(_ norm: Norm, layer: Int) -> Int { Norm.allCases.count * layer + norm.rawValue }
    static func outputNorm(layers: Int) -> Int { Norm.allCases.count * layers }
    static func embeddingNorm(layers: Int) -> Int { Norm.allCases.count * layers + 1 }
}
