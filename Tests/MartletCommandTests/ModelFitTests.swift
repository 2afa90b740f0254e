import Compute
import DemoModel
import Models
import SyntheticModels
import Testing

@testable import MartletCommand

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

@Suite struct ModelFitTests {
    private static let tiny = RandomModel.Shape(
        name: "tiny", hidden: 32, layers: 2, heads: 4, keyValueHeads: 2, headDimension: 8, intermediate: 48,
        vocabulary: 2048)

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

    /// Near what loading the demo model in that form takes.
    @Test func roundedWeightsAreReckonedSmaller() throws {
        let folder = try DemoModelFolder.locate().base
        func bytes(_ quantization: Quantization) throws -> Double {
            Double(
                try ModelFit(
                    argument: "demo", folder: folder, dtype: .bfloat16, quantization: quantization,
                    availableMemory: 1 << 30
                ).weightBytes)
        }
        let loaded = try Quantization.allCases.map { quantization in
            try loadModel(
                folder: folder, dtype: .bfloat16, quantization: quantization, compressesWeights: false,
                pool: WorkerPool(workerCount: 1)
            ).shape.weightBytes
        }
        for (quantization, actual) in zip(Quantization.allCases, loaded) {
            #expect(try abs(bytes(quantization) / Double(actual) - 1) < 0.1, "\(quantization)")
        }
    }
}
