import Checkpoints
import Testing

@testable import Adapters

/// Every kind against what PEFT computes from the same files.
@Suite struct PEFTTests {
    @Test(arguments: AdapterCase.all.filter { !$0.changed.isEmpty })
    func weights(_ test: AdapterCase) throws {
        let adapter = try test.load()
        let model = try MergedModel(test.model)
        var merged = model
        merged.apply(adapter.effects)
        #expect(merged.changes(from: model) == test.changed)
        let expected = try test.expected()
        #expect(!expected.isEmpty)
        for (name, matrix) in expected {
            let difference = merged.parameters[name]?.difference(matrix) ?? .infinity
            #expect(difference < 1e-6, "\(name) is off by \(difference)")
        }
        #expect(adapter.warnings.isEmpty)
    }

    @Test(arguments: AdapterCase.all.filter { $0.name.hasSuffix("tuning") && $0.changed.isEmpty })
    func prompts(_ test: AdapterCase) throws {
        guard let prompt = try test.load().effects.promptEmbeddings else { return }
        let expected = try test.expected()
        #expect(prompt.tasks.count == expected.count)
        for (task, embeddings) in prompt.tasks.enumerated() {
            let difference = Matrix(embeddings).difference(try #require(expected["task.\(task)"]))
            #expect(difference < 1e-6, "task \(task) is off by \(difference)")
        }
    }

    @Test(arguments: ["prefix-tuning", "prefix-projection", "cartridge"])
    func prefixes(_ name: String) throws {
        let test = AdapterCase(name: name, model: "plain", changed: [])
        let prefix = try #require(try test.load().effects.prefix)
        let rows = Matrix(prefix.values)
        for (layer, shape) in prefix.layers.enumerated() {
            for (part, tensor) in ["keys", "values"].enumerated() {
                // PEFT's cache is [head][position][dimension]; `Matrix` has the heads as rows.
                let expected = try #require(try test.expected()["layers.\(layer).\(tensor)"])
                let width = shape.heads * shape.dimension
                for head in 0..<shape.heads {
                    for position in 0..<prefix.tokenCount {
                        for place in 0..<shape.dimension {
                            let column = prefix.offset(layer: layer) + part * width + head * shape.dimension + place
                            #expect(rows[position, column] == expected[head, position * shape.dimension + place])
                        }
                    }
                }
            }
        }
    }

    /// VeRA's random matrices, drawn again from the key: the same bits as PEFT's.
    @Test func projections() throws {
        let expected = try Matrix.all(Folders.adapter("vera-seeded") + "/projections.safetensors")
        let compute = ComputedTensor(file: "test")
        let key = 1 << 32 + 77
        let a = try compute.kaimingUniform("a", rows: 20, columns: 24, seed: key, skip: 0)
        let b = try compute.kaimingUniform("b", rows: 16, columns: 20, seed: key, skip: 20 * 24)
        #expect(Matrix(a).values == expected["vera_A"]?.values)
        #expect(Matrix(b).values == expected["vera_B"]?.values)
        let other = try compute.kaimingUniform("a", rows: 20, columns: 24, seed: 78, skip: 0)
        #expect(Matrix(other).values != expected["vera_A"]?.values)
        let adapter = try TemporaryAdapter("vera-seeded")
        func digest() throws -> AdapterDigest {
            try AdapterLoader.load(folder: adapter.folder, catalog: try Folders.catalog()).digest
        }
        let before = try digest()
        // A module that fits into the projections changes nothing in them.
        try adapter.set("target_modules", ["k_proj", "down_proj", "q_proj"])
        #expect(try digest() == before)
        try adapter.set("projection_prng_key", 78)
        #expect(try digest() != before)
    }

    @Test func activation() throws {
        let adapter = try AdapterLoader.load(folder: Folders.adapter("alora"), catalog: try Folders.catalog())
        #expect(adapter.activation == .afterTokens([4, 9, 5], offset: 0))
        func start(_ prompt: [Int32]) -> Int? { adapter.activation.start(in: prompt) { _ in [] } }
        #expect(start([1, 4, 9, 5, 6, 4, 9, 5, 7]) == 5)
        #expect(start([4, 9, 5]) == 0)
        #expect(start([1, 4, 9]) == nil)
        #expect(start([1, 4, 9, 6, 5]) == nil)
        #expect(start([]) == nil)
        let older = AdapterActivation.afterText("x", offset: 1)
        #expect(older.start(in: [1, 4, 9, 5]) { $0 == "x" ? [4, 9] : [] } == 2)
        #expect(older.start(in: [1, 4, 9, 5]) { _ in [] } == nil)
    }

    /// All short sequences of two tokens, against looking at every place.
    @Test func invocationsAreFound() {
        func sequences(_ longest: Int) -> [[Int32]] {
            (0...longest).flatMap { length in
                (0..<1 << length).map { bits in (0..<length).map { Int32(bits >> $0 & 1) } }
            }
        }
        for tokens in sequences(5) where !tokens.isEmpty {
            for prompt in sequences(9) {
                let last = prompt.indices.last { prompt[$0...].starts(with: tokens) }
                #expect(AdapterActivation.afterTokens(tokens, offset: 0).start(in: prompt) { _ in [] } == last)
            }
        }
    }

    @Test func addedTokens() throws {
        let adapter = try AdapterLoader.load(folder: Folders.adapter("lora-grown"), catalog: try Folders.catalog())
        #expect(adapter.vocabularySize == 35)
        #expect(
            try AdapterLoader.load(folder: Folders.adapter("lora"), catalog: try Folders.catalog()).vocabularySize == 32
        )
    }

    @Test func storedTypesStay() throws {
        for (name, type) in [("lora", TensorDType.float32), ("lora-bfloat16", .bfloat16), ("lora-float16", .float16)] {
            let adapter = try AdapterLoader.load(folder: Folders.adapter(name), catalog: try Folders.catalog())
            #expect(adapter.effects.deltas.allSatisfy { $0.down.dtype == type && $0.up.dtype == type })
        }
    }
}
