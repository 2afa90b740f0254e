import Compute
import Models
import Testing

/// Random checkpoints of many shapes: transformers is the judge.
@Suite struct RandomModelTests {
    @Test(arguments: Fixture.names)
    func logitsAreThoseOfTransformers(name: String) throws {
        let fixture = try Fixture(name)
        #expect(fixture.rows.count >= 8)
        for kernels in KernelSet.available {
            let harness = try Harness(fixture.runner(kernels: kernels), blocks: 64, blockSize: 16)
            for (index, prompt) in fixture.prompts.enumerated() {
                let logits = try harness.logits(prompt)
                for row in fixture.rows where row.prompt == index {
                    let difference = relativeDifference(logits[row.position], row.logits)
                    #expect(
                        difference < 1e-4, "\(name), \(kernels.name), prompt \(index), position \(row.position)")
                }
            }
        }
    }

    /// bfloat16 rounds weights and KV entries to 8 bits of precision; the fixture's weights are already rounded.
    @Test func bfloat16StaysClose() throws {
        let fixture = try Fixture("bfloat16")
        for kernels in KernelSet.available {
            let harness = try Harness(fixture.runner(.auto, kernels: kernels), blocks: 64, blockSize: 16)
            #expect(harness.runner.shape.dtype == .bfloat16)
            for (index, prompt) in fixture.prompts.enumerated() {
                let logits = try harness.logits(prompt)
                for row in fixture.rows where row.prompt == index {
                    #expect(relativeDifference(logits[row.position], row.logits) < 0.03, "\(kernels.name)")
                }
            }
        }
    }

    /// The cache's type is independent of the weights'.
    @Test(
        arguments: ["gqa", "mqa-tied", "head-dim", "odd-sizes", "mistral", "bloom"],
        [(CacheDType.bfloat16, Float(0.03)), (.int8, 0.08)])
    func roundedCachesStayClose(name: String, cache: (dtype: CacheDType, bound: Float)) throws {
        let fixture = try Fixture(name)
        for kernels in KernelSet.available {
            let runner = try fixture.runner(kernels: kernels)
            let harness = try Harness(runner, blocks: 64, blockSize: 16, cache: cache.dtype)
            for (index, prompt) in fixture.prompts.enumerated() {
                let logits = try harness.logits(prompt)
                for row in fixture.rows where row.prompt == index {
                    let difference = relativeDifference(logits[row.position], row.logits)
                    #expect(
                        difference > 0 && difference < cache.bound,
                        "\(kernels.name), position \(row.position): \(difference)")
                }
            }
        }
    }

    @Test func cachesTakeTheirBytes() throws {
        // Two layers of two KV heads of 8 channels, which are stored as 16.
        let runner = try Fixture("gqa").runner()
        let rows = 2 * 2 * runner.shape.kvHeads * 16
        #expect(runner.bytesPerBlock(blockSize: 16, dtype: .float32) == rows * 16 * 4)
        #expect(runner.bytesPerBlock(blockSize: 16, dtype: .bfloat16) == rows * 16 * 2)
        #expect(runner.bytesPerBlock(blockSize: 16, dtype: .int8) == rows * (16 + 4))
        let rounded = try Fixture("bfloat16").runner(.auto).shape
        #expect(rounded.defaultCacheDType == .bfloat16)
        #expect(runner.shape.defaultCacheDType == .float32)
    }

    @Test func automaticTypeIsTheCheckpoints() throws {
        #expect(try Fixture("gqa").runner(.auto).shape.dtype == .float32)
        #expect(try Fixture("bfloat16").runner(.auto).shape.dtype == .bfloat16)
        #expect(try Fixture("float16").runner(.auto).shape.dtype == .float32)
    }

    @Test func shapeTellsSizes() throws {
        let shape = try Fixture("mqa-tied").runner().shape
        #expect(shape.layers == 2 && shape.kvHeads == 1 && shape.heads == 4 && shape.headDim == 16)
        #expect(shape.vocabularySize == 131 && shape.maxPositions == 256)
        #expect(shape.parameterCount == 131 * 32 + 32 + 2 * (64 + 32 * 64 * 2 + 2 * 32 * 16 + 3 * 32 * 48))
    }
}
