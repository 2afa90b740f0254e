import Checkpoints
import Models
import Testing

@testable import MartletCommand

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

    @Test func fitCountsWeightsAndCache() throws {
        let folder = try RandomModel(shape: Self.tiny).write()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let fit = try ModelFit(argument: "tiny", folder: folder, dtype: .auto, availableMemory: 1 << 20)
        let layer = 2 * 32 + 2 * 32 * 32 + 2 * 16 * 32 + 3 * 32 * 48
        #expect(fit.parameterCount == 2048 * 32 + 32 + 2 * layer)
        #expect(fit.dtype == .bfloat16)
        #expect(fit.weightBytes == 2 * fit.parameterCount)
        #expect(fit.cacheBytesPerToken == 2 * 2 * 2 * 8 * 2)
        #expect(fit.cacheTokens == ((1 << 20) - fit.weightBytes) / 2 / 128)
        #expect(fit.problem == nil)
        let tight = try ModelFit(argument: "tiny", folder: folder, dtype: .float32, availableMemory: 1000)
        #expect(tight.weightBytes == 4 * fit.parameterCount)
        #expect(tight.problem?.hasPrefix("The weights need") == true)
    }
}
