import Checkpoints
import SyntheticModels
import Testing

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

@Suite("Models of random weights")
struct RandomModelTests {
    private static let tiny = RandomModel.Shape(
        name: "tiny", hidden: 32, layers: 2, heads: 4, keyValueHeads: 2, headDimension: 8, intermediate: 48,
        vocabulary: 2048)

    @Test func isACheckpointThatReadersAccept() throws {
        let folder = try RandomModel(shape: Self.tiny).write()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let config = try ModelConfig(folder: folder)
        #expect(config.modelType == "llama" && config.layerCount == 2 && config.headDimension == 8)
        let tensors = try TensorStore(folder: folder)
        #expect(tensors.names.count == 2 + 9 * 2)
        let down = try tensors.tensor("model.layers.1.mlp.down_proj.weight", shape: [32, 48])
        #expect(down.dtype == .bfloat16)
        #expect(Set(down.bytes).count > 64)
        let norm = try tensors.tensor("model.norm.weight", shape: [32])
        #expect(Array(norm.bytes) == (0..<32).flatMap { _ in [0x80, 0x3F] as [UInt8] })
    }
}
