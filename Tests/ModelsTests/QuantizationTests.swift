import Checkpoints
import Compute
import Models
import Testing

/// Rounded weights: close to the originals, the same on every machine, and the same for those who share them.
@Suite struct QuantizationTests {
    /// 12 bits instead of 16 change no bit of the results.
    @Test(arguments: ["bfloat16", "qwen2", "bloom", "mqa-tied"])
    func compressionChangesNothing(name: String) throws {
        let fixture = try Fixture(name)
        for kernels in KernelSet.available {
            let plain = try fixture.runner(.bfloat16, compressesWeights: false, kernels: kernels)
            let compressed = try fixture.runner(.bfloat16, kernels: kernels)
            #expect((compressed.shape.weightBytes < plain.shape.weightBytes) == kernels.multipliesBfloat16)
            let one = try Harness(plain, blocks: 64, blockSize: 16)
            let other = try Harness(compressed, blocks: 64, blockSize: 16)
            for prompt in fixture.prompts { #expect(try one.logits(prompt) == other.logits(prompt)) }
        }
    }

    /// The rules written down a second time in torch, around transformers' own models, are the judge. A row that falls
    /// to the other side of a rounding moves one integer by one.
    @Test(arguments: ["gqa", "mqa-tied", "mistral", "qwen2", "bloom"], [Quantization.int8, .int4])
    func asTorchRoundsThem(name: String, quantization: Quantization) throws {
        let fixture = try Fixture(name)
        let expected = try fixture.logits(quantization)
        for kernels in KernelSet.available {
            let runner = try fixture.runner(.float32, quantization, kernels: kernels)
            let harness = try Harness(runner, blocks: 64, blockSize: 16)
            var differences: [Float] = []
            for (index, prompt) in fixture.prompts.enumerated() {
                let logits = try harness.logits(prompt)
                for (row, wanted) in zip(fixture.rows, expected) where row.prompt == index {
                    differences.append(relativeDifference(logits[row.position], wanted))
                    #expect(relativeDifference(logits[row.position], row.logits) > 1e-3, "nothing was rounded")
                }
            }
            let sorted = differences.sorted()
            #expect(sorted[sorted.count / 2] < 2e-4, "\(kernels.name): median \(sorted[sorted.count / 2])")
            #expect(sorted[sorted.count - 1] < 0.05, "\(kernels.name): most \(sorted[sorted.count - 1])")
        }
    }

    @Test func rounderWeightsAreSmaller() throws {
        func bytes(_ quantization: Quantization) throws -> Int {
            try loadModel(
                folder: Folders.demo + "/base", dtype: .bfloat16, quantization: quantization, compressesWeights: false,
                pool: WorkerPool(workerCount: 2)
            ).shape.weightBytes
        }
        let (full, int8, int4) = (try bytes(.none), try bytes(.int8), try bytes(.int4))
        #expect(Double(int8) < 0.55 * Double(full))
        #expect(Double(int4) < 0.40 * Double(full))
    }

    /// Adapters of every kind work on rounded weights as PEFT has them on exact ones.
    @Test(arguments: ["plain", "tied", "mistral", "qwen2", "bloom"])
    func adaptersOnRoundedWeights(model: String) throws {
        let fixtures = try AdapterFixtures(model)
        let runner = try fixtures.runner(.float32, .int8)
        let harness = try Harness(runner, blocks: 16, blockSize: 8)
        let base = try harness.logits(fixtures.prompt())
        for name in fixtures.names {
            let adapter = try fixtures.pack(name, for: runner)
            let prompt = try fixtures.prompt(vocabularySize: adapter.vocabularySize)
            let found = try harness.logits(prompt, adapters: [AdapterTerm(adapter)])
            #expect(found != base, "\(name) changes something")
            for (row, wanted) in zip(found, try fixtures.expected(name)) {
                let difference = relativeDifference(row, wanted)
                #expect(difference < 0.1, "\(name) is off by \(difference)")
            }
        }
    }
}
