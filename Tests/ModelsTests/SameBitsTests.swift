import Compute
import Models
import Testing

/// Same request, same bits: how work is cut and what runs beside it must not change a single bit of the logits.
@Suite struct SameBitsTests {
    struct Variant: CustomTestStringConvertible {
        let name: String
        let dtype: ModelDType
        var quantization = Quantization.none
        let cache: CacheDType
        let kernels: KernelSet

        var testDescription: String { "\(name) \(dtype), \(quantization), cache \(cache), \(kernels.name)" }
    }

    static var variants: [Variant] {
        KernelSet.available.flatMap { kernels in
            ["gqa", "mqa-tied", "odd-sizes", "mha", "mistral", "qwen2", "bloom"].flatMap { name in
                [ModelDType.float32, .bfloat16].flatMap { dtype in
                    CacheDType.allCases.map { Variant(name: name, dtype: dtype, cache: $0, kernels: kernels) }
                }
                    + [Quantization.int8, .int4].map {
                        Variant(name: name, dtype: .bfloat16, quantization: $0, cache: .bfloat16, kernels: kernels)
                    }
            }
        }
    }

    private static func harness(_ variant: Variant, workers: Int = 1, blockSize: Int = 16) throws -> Harness {
        let runner = try Fixture(variant.name).runner(
            variant.dtype, variant.quantization, kernels: variant.kernels, workers: workers)
        return try Harness(runner, blocks: 512, blockSize: blockSize, cache: variant.cache)
    }

    @Test(arguments: variants)
    func chunksChangeNothing(variant: Variant) throws {
        let prompt = try #require(Fixture(variant.name).prompts.last)
        let harness = try Self.harness(variant)
        let whole = try harness.logits(prompt)
        #expect(try harness.logits(prompt, pieces: Array(repeating: 1, count: prompt.count)) == whole)
        #expect(try harness.logits(prompt, pieces: [16, 16, 16, 16]) == whole)
        #expect(try harness.logits(prompt, pieces: [1, 2, 3, 5, 7, 11, 13, 17]) == whole)
        #expect(try harness.logits(prompt, pieces: [37]) == whole)
    }

    @Test(arguments: variants)
    func blockSizesChangeNothing(variant: Variant) throws {
        let prompt = try #require(Fixture(variant.name).prompts.last)
        let whole = try Self.harness(variant).logits(prompt)
        for size in [1, 2, 4, 8, 32, 64, 128] {
            let harness = try Self.harness(variant, blockSize: size)
            #expect(try harness.logits(prompt, pieces: [19, 1, 30]) == whole, "block size \(size)")
        }
    }

    @Test(arguments: variants)
    func threadsChangeNothing(variant: Variant) throws {
        let prompt = try #require(Fixture(variant.name).prompts.last)
        let whole = try Self.harness(variant).logits(prompt)
        for workers in 2...4 {
            let harness = try Self.harness(variant, workers: workers)
            #expect(try harness.logits(prompt) == whole, "\(workers) workers")
            #expect(try harness.logits(prompt, pieces: [40, 1, 1]) == whole, "\(workers) workers")
        }
    }

    @Test(arguments: variants)
    func batchMatesChangeNothing(variant: Variant) throws {
        let fixture = try Fixture(variant.name)
        let harness = try Self.harness(variant, workers: 2)
        let alone = try fixture.prompts.map { try harness.logits($0) }
        // All together, each at its own pace, in an order that changes with every step.
        var sequences = fixture.prompts.map { Harness.Sequence(tokens: $0) }
        var logits = fixture.prompts.map { _ in [[Float]]() }
        var step = 0
        while sequences.contains(where: { $0.computed < $0.tokens.count }) {
            let counts = sequences.indices.map { index in
                min(sequences[index].tokens.count - sequences[index].computed, [1, 3, 8, 17, 5][(index + step) % 5])
            }
            for (index, rows) in try harness.step(&sequences, counts: counts).enumerated() { logits[index] += rows }
            step += 1
        }
        #expect(logits == alone)
    }

    @Test(arguments: CacheDType.allCases, [1, 8, 16, 32])
    func copiedBlocksHoldTheSame(cache: CacheDType, blockSize: Int) throws {
        let fixture = try Fixture("gqa")
        let prompt = try #require(fixture.prompts.last)
        let harness = try Harness(fixture.runner(), blocks: 256, blockSize: blockSize, cache: cache)
        let whole = try harness.logits(prompt)
        // The blocks hold another sequence's tokens where the copied ones have none yet.
        _ = try harness.logits(prompt.reversed())
        var sequences = [Harness.Sequence(tokens: prompt)]
        _ = try harness.step(&sequences, counts: [50])
        harness.move(&sequences[0])
        let rest = try harness.step(&sequences, counts: [prompt.count - 50])[0]
        #expect(rest == Array(whole[50...]))
    }

    /// Blocks that gave their memory back serve again, and those beside them keep theirs.
    @Test(arguments: CacheDType.allCases, [1, 16, 128])
    func discardedBlocksLeaveTheOthers(cache: CacheDType, blockSize: Int) throws {
        let fixture = try Fixture("gqa")
        let prompt = try #require(fixture.prompts.last)
        let count = 4096 / blockSize
        let harness = try Harness(fixture.runner(), blocks: count, blockSize: blockSize, cache: cache)
        let whole = try harness.logits(prompt)
        var sequences = [Harness.Sequence(tokens: prompt)]
        _ = try harness.step(&sequences, counts: [50])
        let kept = sequences[0].blocks.map(Int.init).sorted()
        let bounds = [-1] + kept + [count]
        harness.runner.discardBlocks(zip(bounds, bounds.dropFirst()).map { $0 + 1..<$1 } + [count..<count + 9])
        #expect(try harness.step(&sequences, counts: [prompt.count - 50])[0] == Array(whole[50...]))
        #expect(try harness.logits(prompt, pieces: [13]) == whole)
    }
}
