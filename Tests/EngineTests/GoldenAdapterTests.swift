import Checkpoints
import Engine
import Foundation
import Testing

/// The adapters of an independent golden set: what PEFT computes, alone, in any batch, and with whatever the cache has.
@Suite(.enabled(if: GoldenSet.folder != nil))
struct GoldenAdapterTests {
    /// What is refused by its configuration.
    private static let others = ["pissa"]

    private static func isServed(_ test: GoldenSet.Case) -> Bool {
        !test.adapters.contains { others.contains($0.name) }
    }

    private static func load(
        _ cases: [GoldenSet.Case], _ architecture: String, folder: String? = nil,
        _ change: (inout EngineConfiguration) -> Void = { _ in }
    ) async throws -> LLM {
        var configuration = EngineConfiguration(model: GoldenSet.model(architecture))
        configuration.dtype = .float32
        configuration.threads = 2
        configuration.cacheMemory = 64 << 20
        change(&configuration)
        let llm = try await LLM(configuration: configuration)
        for name in Set(cases.flatMap(\.adapters).map(\.name)).sorted() {
            let path = "\(GoldenSet.folder ?? "")/\(folder ?? "adapters/" + architecture)/\(name)"
            try await llm.adapters.load(name, path: path)
        }
        return llm
    }

    private static func together(_ cases: [GoldenSet.Case], _ llm: LLM, _ comment: String) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for test in cases { group.addTask { try await Answer(test.request(), from: llm).check(test, comment) } }
            try await group.waitForAll()
        }
        #expect(await llm.engine.audit() == nil)
    }

    @Test(arguments: [("llama", 124), ("mistral", 56), ("qwen2", 49), ("bloom", 60)])
    func eachAlone(architecture: String, count: Int) async throws {
        let cases = try GoldenSet(architecture + ".json").cases.filter(Self.isServed)
        #expect(cases.count == count)
        let llm = try await Self.load(cases, architecture)
        for test in cases { try await Answer(test.request(readsCache: false), from: llm).check(test) }
    }

    /// Small chunks, then a cache so small that requests are preempted, then a warm one in other orders.
    @Test(arguments: GoldenSet.architectures)
    func allTogether(architecture: String) async throws {
        let golden = try GoldenSet(architecture + ".json")
        let byID = Dictionary(golden.cases.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        for batch in golden.json["batches"]?.array ?? [] {
            let cases = (batch["cases"]?.array ?? []).compactMap { $0.string.flatMap { byID[$0] } }
                .filter(Self.isServed)
            let name = batch["name"]?.string ?? ""
            let chunked = try await Self.load(cases, architecture) {
                $0.maxBatchedTokens = 4
                $0.precomputesSoftPrompts = true
            }
            try await Self.together(cases, chunked, name + " in chunks of 4")
            let blockBytes = ["llama": 12_288, "mistral": 8_192, "qwen2": 8_192, "bloom": 16_384]
            let adapterBytes = chunked.adapters.all.reduce(0) { $0 + $1.byteCount }
            let tiny = try await Self.load(cases, architecture) {
                $0.maxModelLength = 128
                $0.cacheMemory = adapterBytes + 12 * (blockBytes[architecture] ?? 0)
                $0.enablesPrefixCaching = false
                $0.watermark = 0
            }
            try await Self.together(cases, tiny, name + " in a tiny cache")
            // A few requests may happen not to meet.
            #expect(tiny.engine.statistics().preemptions > 0 || cases.count < 8)
            let warm = try await Self.load(cases, architecture)
            for round in 0..<3 {
                var generator = Seeded(seed: UInt64(round))
                try await Self.together(cases.shuffled(using: &generator), warm, name + ", round \(round)")
            }
        }
    }

    /// Turns of one conversation with and without adapters share what is the same and nothing else.
    @Test(arguments: GoldenSet.architectures)
    func chains(architecture: String) async throws {
        let golden = try GoldenSet(architecture + ".json")
        let byID = Dictionary(golden.cases.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        for chain in golden.json["chains"]?.array ?? [] {
            let steps = chain["steps"]?.array ?? []
            let cases = steps.compactMap { $0["case"]?.string.flatMap { byID[$0] } }
            #expect(cases.count == steps.count && !cases.isEmpty)
            let llm = try await Self.load(cases, architecture) { $0.blockSize = 16 }
            for (step, test) in zip(steps, cases) {
                let answer = try await Answer(test.request(), from: llm)
                answer.check(test)
                let tokens = step["reuse_from"]?["tokens"]?.int ?? 0
                // The last token of a prompt is always computed, as its logits are needed. Before an activated adapter's
                // start, the base has one token more than the record says.
                let most = test.prompt.count - 1
                let allowed = [min(tokens, most), min(test.id == "chain/2_base_again" ? tokens + 1 : tokens, most)]
                #expect(allowed.contains(answer.cachedTokens), "\(test.id): \(answer.cachedTokens) of \(tokens)")
            }
        }
    }

    @Test func reloads() async throws {
        for reload in try GoldenSet("llama.json").json["reloads"]?.array ?? [] {
            let llm = try await Self.load([], "llama")
            for version in ["v1", "v2", "v1"] {
                let name = try #require(reload[version]?.string)
                let path = "\(GoldenSet.folder ?? "")/adapters/llama/\(name)"
                try await llm.adapters.load("served", path: path, replacing: true)
                let expected = GoldenSet.Case(try #require(reload["expect"]?[name]))
                for prompt in (reload["prompts"]?.array ?? []).map({ GoldenSet.Case.tokens($0) }) {
                    var request = expected.request()
                    request.prompt = prompt
                    request.adapters = [AdapterSelection("served")]
                    #expect(try await Answer(request, from: llm).tokens == expected.tokens, "\(name)")
                }
            }
        }
    }

    /// Two hundred adapters, asked for by many clients at once.
    @Test func manyAdapters() async throws {
        let cases = try GoldenSet("many.json").cases
        #expect(cases.count == 200)
        let llm = try await Self.load(cases, "llama", folder: "adapters_many")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for client in 0..<64 {
                group.addTask {
                    for index in stride(from: client, to: 2 * cases.count, by: 64) {
                        let test = cases[index % cases.count]
                        try await Answer(test.request(), from: llm).check(test)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(await llm.engine.audit() == nil)
    }
}
