import DemoModel
import Engine
import Sampling
import Testing

/// The demo model's adapters against PEFT: every recorded answer, all of them and the base model in one batch.
@Suite struct DemoAdapterTests {
    static let names = ["sql", "json-extract", "certainty", "pirate", "terse"]

    static func load(_ change: (inout EngineConfiguration) -> Void = { _ in }) async throws -> LLM {
        var configuration = EngineConfiguration()
        configuration.dtype = .float32
        change(&configuration)
        let llm = try await LLM(configuration: configuration)
        try await loadAll(into: llm.engine)
        return llm
    }

    static func loadAll(into engine: InferenceEngine) async throws {
        let folder = try DemoModelFolder.locate().adapters
        for name in names { try await engine.adapters.load(name, path: folder + "/" + name) }
    }

    @Test func everyAnswerInOneBatch() async throws {
        let llm = try await Self.load()
        let examples = try DemoExample.all().filter { $0.adapter.map(Self.names.contains) ?? true }
        #expect(examples.filter { $0.adapter != nil }.count == 200)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for example in examples {
                group.addTask {
                    var sampling = SamplingParameters.greedy
                    sampling.maxTokens = example.expectedTokens.count
                    let result = try await llm.generate(
                        .tokens(example.promptTokens), sampling: sampling, adapter: example.adapter)
                    #expect(result.outputs.first?.tokens == example.expectedTokens, "\(example.id)")
                    #expect(result.text == example.expected, "\(example.id)")
                }
            }
            try await group.waitForAll()
        }
        #expect(await llm.engine.audit() == nil)
    }

    /// A base answer, then the adapter's judgement on the same conversation: only what is new is computed.
    @Test func anActivatedAdapterReusesWhatTheBaseComputed() async throws {
        let llm = try await Self.load()
        let example = try #require(try DemoExample.all().first { $0.adapter == "certainty" })
        let cold = try await llm.generate(
            .tokens(example.promptTokens), sampling: .greedy, adapter: "certainty")
        guard case .from(let start) = cold.adapterUse, start > 0 else {
            Issue.record("the adapter was not invoked")
            return
        }
        await llm.engine.resetPrefixCache()
        let base = try await llm.generate(.tokens(example.promptTokens), sampling: .greedy)
        #expect(base.adapterUse == nil)
        let warm = try await llm.generate(.tokens(example.promptTokens), sampling: .greedy, adapter: "certainty")
        #expect(warm.cachedTokens == start, "all before the invocation")
        #expect(warm.outputs.map(\.tokens) == cold.outputs.map(\.tokens))
        // What the adapter computed is its own: the base model finds its old content, and not more.
        let again = try await llm.generate(.tokens(example.promptTokens), sampling: .greedy)
        #expect(again.cachedTokens == example.promptTokens.count - 1)
        #expect(again.outputs.map(\.tokens) == base.outputs.map(\.tokens))
    }

    @Test func withoutItsInvocationAnActivatedAdapterIsTheBase() async throws {
        let llm = try await Self.load()
        let prompt: [Int32] = [1, 284, 2, 629, 1099, 1622]
        var sampling = SamplingParameters.greedy
        sampling.maxTokens = 20
        sampling.logprobs = 2
        let base = try await llm.generate(.tokens(prompt), sampling: sampling)
        let adapted = try await llm.generate(.tokens(prompt), sampling: sampling, adapter: "certainty")
        #expect(adapted.adapterUse == .notInvoked)
        #expect(adapted.cachedTokens == prompt.count - 1, "it shares with the base")
        #expect(adapted.outputs.map(\.logprobs) == base.outputs.map(\.logprobs))
    }

    /// Any mixture gives each request the bits that it gets alone.
    @Test(arguments: [(16, 2048, 2), (4, 16, 3), (1, 7, 1), (32, 64, 4)])
    func aloneOrMixed(blockSize: Int, budget: Int, threads: Int) async throws {
        let alone = try await Self.load {
            $0.enablesPrefixCaching = false
            $0.threads = 1
        }
        let mixed = try await Self.load {
            $0.blockSize = blockSize
            $0.maxBatchedTokens = budget
            $0.threads = threads
            $0.maxModelLength = 400
            $0.cacheMemory = 16 << 20
        }
        let examples = try DemoExample.all().filter { $0.adapter.map(Self.names.contains) ?? false }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, example) in examples.enumerated() where index.isMultiple(of: 3) {
                for adapter in [example.adapter, nil, "sql"] {
                    group.addTask {
                        var sampling = SamplingParameters.greedy
                        sampling.maxTokens = 12
                        sampling.ignoreEOS = true
                        sampling.logprobs = 1
                        let prompt = Prompt.tokens(Array(example.promptTokens.suffix(300)))
                        let expected = try await alone.generate(prompt, sampling: sampling, adapter: adapter)
                        let found = try await mixed.generate(prompt, sampling: sampling, adapter: adapter)
                        #expect(found.outputs.map(\.tokens) == expected.outputs.map(\.tokens))
                        #expect(found.outputs.map(\.logprobs) == expected.outputs.map(\.logprobs))
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(await mixed.engine.audit() == nil)
    }

    @Test func severalAdaptersAddUp() async throws {
        let llm = try await Self.load()
        func logprobs(_ adapters: [AdapterSelection]) async throws -> [Float] {
            var sampling = SamplingParameters.greedy
            sampling.maxTokens = 1
            sampling.promptLogprobs = 0
            var request = GenerationRequest(id: "r", prompt: [1, 284, 2, 629, 1099, 1622, 470], sampling: sampling)
            request.adapters = adapters
            for try await case .started(let report) in try llm.engine.generate(request) {
                return (report.logprobs ?? []).compactMap { $0?.chosen.logprob }
            }
            return []
        }
        let base = try await logprobs([])
        let sql = try await logprobs([AdapterSelection("sql")])
        #expect(sql != base)
        #expect(try await logprobs([AdapterSelection("sql", scale: 0)]).elementsEqual(base) { abs($0 - $1) < 1e-4 })
        let halves = try await logprobs([AdapterSelection("sql", scale: 0.5), AdapterSelection("sql", scale: 0.5)])
        #expect(zip(halves, sql).allSatisfy { abs($0 - $1) < 1e-3 })
        await #expect(throws: EngineError.self) {
            try await logprobs([AdapterSelection("sql"), AdapterSelection("certainty")])
        }
        await #expect(throws: EngineError.unknownAdapter("none")) { try await logprobs([AdapterSelection("none")]) }
    }

    @Test func aReplacedOrUnloadedAdapterHarmsNobody() async throws {
        let llm = try await Self.load()
        let folder = try DemoModelFolder.locate().adapters
        let before = try #require(llm.adapters["sql"])
        #expect(llm.adapters.all.map(\.name) == Self.names.sorted())
        #expect(before.kind == "lora" && before.byteCount > 0 && before.digest.count == 64)
        await #expect(throws: EngineError.self) { try await llm.adapters.load("sql", path: folder + "/json-extract") }
        let example = try #require(try DemoExample.all().first { $0.adapter == "sql" })
        var sampling = SamplingParameters.greedy
        sampling.maxTokens = 300
        sampling.ignoreEOS = true
        let expected = try await llm.generate(.tokens(example.promptTokens), sampling: sampling, adapter: "sql")
        let bytes = llm.engine.statistics().adapterBytes
        // Keys and values of a prefix are blocks of the cache.
        #expect(bytes == llm.adapters.all.reduce(0) { $0 + ($1.name == "terse" ? 0 : $1.byteCount) })
        let stream = try llm.events(.tokens(example.promptTokens), sampling: sampling, adapter: "sql")
        try await llm.adapters.load("sql", path: folder + "/json-extract", replacing: true)
        #expect(llm.adapters["sql"]?.digest != before.digest)
        var tokens: [Int32] = []
        for try await case .delta(let delta) in stream { tokens += delta.tokens }
        #expect(tokens == expected.outputs.first?.tokens, "the request goes on with what it began with")
        let replaced = try await llm.generate(.tokens(example.promptTokens), sampling: sampling, adapter: "sql")
        #expect(replaced.outputs.map(\.tokens) != expected.outputs.map(\.tokens))
        #expect(replaced.cachedTokens == 0, "another content shares nothing")
        let numbers = try #require(llm.engine.statistics().adapters.byName["sql"])
        #expect(numbers.requests == 3 && numbers.requestsRunning == 0 && numbers.requestsWaiting == 0)
        #expect(numbers.promptTokens == 3 * example.promptTokens.count && numbers.generationTokens == 900)
        for name in Self.names { try llm.adapters.unload(name) }
        #expect(throws: EngineError.unknownAdapter("sql")) { try llm.adapters.unload("sql") }
        #expect(await llm.engine.audit() == nil)
        #expect(llm.engine.statistics().adapterBytes == 0)
    }

    /// What was leased is what the request gets, even if the name is gone by then.
    @Test func aLeaseIsWorthMoreThanAName() async throws {
        let llm = try await Self.load()
        let example = try #require(try DemoExample.all().first { $0.adapter == "terse" })
        var request = GenerationRequest(id: "r", prompt: example.promptTokens, sampling: .greedy)
        request.sampling.maxTokens = example.expectedTokens.count
        request.adapters = ["terse"]
        request.lease = try await llm.adapters.prepare(["terse"])
        try llm.adapters.unload("terse")
        #expect(try await Answer(request, from: llm).tokens == example.expectedTokens)
        request.lease = nil
        await #expect(throws: EngineError.unknownAdapter("terse")) { try await Answer(request, from: llm) }
        #expect(await llm.engine.audit() == nil)
    }

    @Test func whatCannotBeServedIsRefusedByName() async throws {
        let llm = try await Self.load()
        let folder = try DemoModelFolder.locate().adapters
        for (path, words) in [
            (folder + "/nothing", "nothing"),
            (try DemoModelFolder.locate().base, "adapter_config.json"),
        ] {
            do {
                try await llm.adapters.load("x", path: path)
                Issue.record("\(path) was loaded")
            } catch {
                #expect("\(error)".contains(words), "\(error)")
            }
        }
        #expect(llm.adapters["x"] == nil)
    }
}
