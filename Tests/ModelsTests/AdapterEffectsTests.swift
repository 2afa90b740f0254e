import Adapters
import Compute
import Models
import Testing

/// Adapters of every kind at work: what PEFT computes, and the same bits in every company.
@Suite struct AdapterEffectsTests {
    struct Variant: CustomTestStringConvertible {
        let model: String
        let dtype: ModelDType
        var quantization = Quantization.none
        let kernels: KernelSet

        var testDescription: String { "\(model) \(dtype), \(quantization), \(kernels.name)" }

        static var all: [Variant] {
            KernelSet.available.flatMap { kernels in
                ["plain", "tied", "mistral", "bloom"].flatMap { model in
                    [ModelDType.float32, .bfloat16].map { Variant(model: model, dtype: $0, kernels: kernels) }
                        + [Quantization.int8, .int4].map {
                            Variant(model: model, dtype: .float32, quantization: $0, kernels: kernels)
                        }
                }
            }
        }
    }

    @Test(arguments: KernelSet.available, ["plain", "tied", "mistral", "qwen2", "bloom"])
    func asPEFTComputes(kernels: KernelSet, model: String) throws {
        let fixtures = try AdapterFixtures(model)
        let counts = ["plain": 25, "tied": 5, "mistral": 2, "qwen2": 3, "bloom": 10]
        #expect(fixtures.names.count >= counts[model] ?? 0)
        let runner = try fixtures.runner(kernels: kernels)
        let harness = try Harness(runner, blocks: 16, blockSize: 8)
        let base = try harness.logits(fixtures.prompt())
        try compare(base, fixtures.expected(model), model)
        for name in fixtures.names {
            let adapter = try fixtures.pack(name, for: runner)
            let prompt = try fixtures.prompt(vocabularySize: adapter.vocabularySize)
            let found = try harness.logits(prompt, adapters: [AdapterTerm(adapter)])
            try compare(found, fixtures.expected(name), name)
            #expect(found != base, "\(name) changes something")
            #expect(adapter.byteCount > 0)
        }
    }

    private func compare(_ found: [[Float]], _ expected: [[Float]], _ name: String) throws {
        #expect(found.count == expected.count)
        for (position, (row, wanted)) in zip(found, expected).enumerated() {
            let difference = relativeDifference(row, wanted)
            #expect(difference < 1e-4, "\(name): position \(position) is off by \(difference)")
        }
    }

    /// All kinds at once beside requests of the base model, cut in many ways: each as if it were alone.
    @Test(arguments: Variant.all)
    func companyChangesNothing(variant: Variant) throws {
        let fixtures = try AdapterFixtures(variant.model)
        let alone = try fixtures.runner(
            variant.dtype, variant.quantization, kernels: variant.kernels, workers: 1)
        let prompt = try fixtures.prompt()
        var sequences = (0..<3).map { Harness.Sequence(tokens: Array(prompt.dropFirst($0))) }
        for name in fixtures.names {
            let adapter = try fixtures.pack(name, for: alone)
            let tokens = try fixtures.prompt(vocabularySize: adapter.vocabularySize)
            sequences.append(Harness.Sequence(tokens: tokens, adapters: [AdapterTerm(adapter)]))
            sequences.append(Harness.Sequence(tokens: tokens.reversed(), adapters: [AdapterTerm(adapter)]))
        }
        let single = try Harness(alone, blocks: 16, blockSize: 16)
        let expected = try sequences.map { try single.logits($0.tokens, adapters: $0.adapters) }
        for (workers, blockSize) in [(1, 4), (3, 16)] {
            // Packed adapters belong to no runner, only to a model.
            let runner = try fixtures.runner(
                variant.dtype, variant.quantization, kernels: variant.kernels, workers: workers)
            let harness = try Harness(runner, blocks: 1024, blockSize: blockSize)
            for pace in [[20], [1, 3, 7, 2, 5], [4]] {
                let found = try run(sequences, harness, pace)
                for index in sequences.indices {
                    #expect(found[index] == expected[index], "sequence \(index) at \(pace), \(workers) workers")
                }
            }
        }
    }

    private func run(_ sequences: [Harness.Sequence], _ harness: Harness, _ pace: [Int]) throws -> [[[Float]]] {
        var sequences = sequences
        var logits = sequences.map { _ in [[Float]]() }
        var step = 0
        while sequences.contains(where: { $0.computed < $0.tokens.count }) {
            let counts = sequences.indices.map { index in
                min(sequences[index].tokens.count - sequences[index].computed, pace[(index + step) % pace.count])
            }
            for (index, rows) in try harness.step(&sequences, counts: counts).enumerated() { logits[index] += rows }
            step += 1
        }
        for sequence in sequences { harness.release(sequence) }
        return logits
    }

    @Test(arguments: Quantization.allCases)
    func copiesOfTheModelsOwnWeightsTakeNoMemory(quantization: Quantization) throws {
        let fixtures = try AdapterFixtures("plain")
        let runner = try fixtures.runner(.float32, quantization)
        // The file has embedding and head in full, 2 x 32 x 16 numbers, beside changes of rank 3.
        #expect(try fixtures.pack("lora-embed-head", for: runner).byteCount < 2 * 32 * 16 * 4)
        #expect(try fixtures.pack("lora-embed-head", for: runner).footprint.isSum)
        #expect(try !fixtures.pack("lora-saved", for: runner).footprint.isSum)
    }

    @Test func combinationsThatAreNotDefined() throws {
        let fixtures = try AdapterFixtures("plain")
        let runner = try fixtures.runner()
        func conflict(_ one: String, _ other: String) throws -> String? {
            try fixtures.pack(one, for: runner).footprint.conflict(with: fixtures.pack(other, for: runner).footprint)
        }
        #expect(try conflict("lora", "lora-all-linear") == nil)
        #expect(try conflict("lora", "dora") == "model.layers.0.mlp.down_proj")
        #expect(try conflict("dora", "lora") == "model.layers.0.mlp.down_proj")
        #expect(try conflict("lora-saved", "lora-tokens") == "model.embed_tokens")
        #expect(try conflict("ia3", "ln-tuning") == nil)
        #expect(try conflict("lora-grown", "lora-saved") == "lm_head")
    }
}
