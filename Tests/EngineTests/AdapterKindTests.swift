import Engine
import Sampling
import Testing

/// Adapters of all kinds, side by side in one engine.
@Suite struct AdapterKindTests {
    private static let names = [
        "lora", "lora-bias", "lora-all-biases", "lora-embed-head", "lora-saved", "lora-saved-linears",
        "lora-saved-norms", "lora-tokens", "lora-grown", "dora", "dora-embed", "dora-head", "ia3", "ia3-regex",
        "ln-tuning", "trainable-tokens", "adalora", "vera", "vera-seeded", "loha", "lokr", "alora",
        "prompt-tuning", "p-tuning", "prefix-tuning", "prefix-projection", "cartridge",
    ]

    private static func request(
        _ prompt: [Int32], _ adapters: [AdapterSelection], _ change: (inout SamplingParameters) -> Void = { _ in }
    ) -> GenerationRequest {
        var sampling = SamplingParameters()
        sampling.temperature = 1.5
        sampling.seed = 7
        sampling.maxTokens = 12
        sampling.ignoreEOS = true
        sampling.logprobs = 0
        change(&sampling)
        var request = GenerationRequest(id: "r", prompt: prompt, sampling: sampling)
        request.adapters = adapters
        return request
    }

    @Test(arguments: [(16, 2048, 2), (4, 5, 3), (1, 3, 1)])
    func aloneOrMixed(blockSize: Int, budget: Int, threads: Int) async throws {
        let model = try TinyModel("plain")
        let names = Self.names + ["multitask-prompt-tuning"]
        let alone = try await model.load(names) { $0.enablesPrefixCaching = false }
        let mixed = try await model.load(names) {
            $0.precomputesSoftPrompts = budget == 5
            $0.blockSize = blockSize
            $0.maxBatchedTokens = budget
            $0.threads = threads
        }
        let sums = [
            [AdapterSelection("lora", scale: 0.5), AdapterSelection("lora-bias", scale: -2)],
            [AdapterSelection("lora-embed-head"), AdapterSelection("ln-tuning"), AdapterSelection("ia3")],
            [AdapterSelection("prefix-tuning"), AdapterSelection("lora", scale: 0.5)],
            [AdapterSelection("dora"), AdapterSelection("prompt-tuning")],
            [AdapterSelection("alora"), AdapterSelection("cartridge")],
            [AdapterSelection("p-tuning"), AdapterSelection("alora")],
            [AdapterSelection("multitask-prompt-tuning", task: 0)],
            [AdapterSelection("multitask-prompt-tuning", task: 1)],
        ]
        let prompt: [Int32] = [1, 7, 30, 8, 12, 31, 5, 4, 9, 5, 22, 3]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for adapters in Self.names.map({ [AdapterSelection($0)] }) + sums + [[], []] {
                for start in 0..<2 {
                    group.addTask {
                        let request = Self.request(Array(prompt.dropFirst(start)), adapters)
                        let expected = try await Answer(request, from: alone)
                        let found = try await Answer(request, from: mixed)
                        #expect(found.tokens == expected.tokens, "\(adapters)")
                        #expect(found.logprobs == expected.logprobs, "\(adapters)")
                        #expect(found.adapterStart == expected.adapterStart, "\(adapters)")
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(await mixed.engine.audit() == nil)
    }

    /// Tokens that came with an adapter exist for its requests alone.
    @Test func addedTokens() async throws {
        let llm = try await TinyModel("plain").load(["lora-grown", "lora"])
        let added: [Int32] = [32, 33, 34]
        let grown = [AdapterSelection("lora-grown")]
        let wanted = Self.request([1, 33, 5], grown) { $0.logitBias = [34: 1000] }
        #expect(try await Answer(wanted, from: llm).tokens == Array(repeating: 34, count: 12))
        for adapters in [[], [AdapterSelection("lora")]] {
            await #expect(throws: EngineError.self) { try await Answer(Self.request([1, 33], adapters), from: llm) }
            await #expect(throws: EngineError.self) {
                try await Answer(Self.request([1], adapters) { $0.logitBias = [34: 1000] }, from: llm)
            }
        }
        await #expect(throws: EngineError.self) { try await Answer(Self.request([1, 35], grown), from: llm) }
        // Base requests beside it, as random as can be, never get one.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for seed in 0..<16 {
                group.addTask {
                    let adapters = seed.isMultiple(of: 2) ? [] : grown
                    let request = Self.request([1, 7], adapters) {
                        $0.temperature = 100
                        $0.seed = UInt64(seed)
                        $0.maxTokens = 50
                    }
                    let tokens = try await Answer(request, from: llm).tokens
                    #expect(tokens.contains(where: added.contains) == !adapters.isEmpty)
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func whatIsNotDefinedTogetherIsRefused() async throws {
        let names = ["lora", "dora", "ia3", "ln-tuning", "lora-saved", "lora-tokens", "lora-saved-norms"]
        let llm = try await TinyModel("plain").load(names)
        for (adapters, words) in [
            ([AdapterSelection("lora"), AdapterSelection("dora")], "model.layers.0.mlp.down_proj"),
            ([AdapterSelection("lora-tokens"), AdapterSelection("lora-saved")], "model.embed_tokens"),
            ([AdapterSelection("ln-tuning"), AdapterSelection("lora-saved-norms")], "layernorm"),
            ([AdapterSelection("ia3", scale: 0.5)], "'ia3'"),
            ([AdapterSelection("lora"), AdapterSelection("ln-tuning", scale: 2)], "'ln-tuning'"),
        ] {
            do {
                _ = try await Answer(Self.request([1, 7], adapters), from: llm)
                Issue.record("\(adapters) were combined")
            } catch EngineError.invalidRequest(let parameter, let message) {
                #expect(parameter == "adapters" && message.contains(words), "\(message)")
            }
        }
        let both = [AdapterSelection("lora"), AdapterSelection("ln-tuning")]
        #expect(try await Answer(Self.request([1, 7], both), from: llm).tokens.count == 12)
    }
}
