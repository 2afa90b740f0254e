import Engine
import Sampling
import Testing

/// More adapters than the memory holds.
@Suite struct AdapterResidencyTests {
    private var sampling: SamplingParameters {
        var sampling = SamplingParameters.greedy
        sampling.maxTokens = 12
        sampling.ignoreEOS = true
        sampling.logprobs = 0
        return sampling
    }

    @Test func adaptersComeAndGoUnderLoad() async throws {
        let count = 24
        let folders = try AdapterFolders(count)
        let roomy = try await folders.load(count, memory: 256 << 20)
        let tight = try await folders.load(count, memory: 8 << 20)
        #expect(roomy.adapters.all.filter(\.isResident).count == count)
        let resident = tight.adapters.all.filter(\.isResident)
        #expect(resident.count < 10 && !resident.isEmpty)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for client in 0..<64 {
                group.addTask {
                    let prompt = Prompt.tokens((0..<60).map { Int32(10 + ($0 * 7 + client * 13) % 1900) })
                    let name = "a\(client * 5 % count)"
                    let expected = try await roomy.generate(prompt, sampling: sampling, adapter: name)
                    let found = try await tight.generate(prompt, sampling: sampling, adapter: name)
                    #expect(found.outputs.map(\.tokens) == expected.outputs.map(\.tokens))
                    #expect(found.outputs.map(\.logprobs) == expected.outputs.map(\.logprobs))
                }
            }
            try await group.waitForAll()
        }
        #expect(await tight.engine.audit() == nil)
        let statistics = tight.engine.statistics()
        #expect(statistics.adapterBytes + statistics.cacheBytes <= 8 << 20)
        #expect(tight.adapters.all.count == count)
        let counts = statistics.adapters.byName
        let evictions = counts.values.reduce(0) { $0 + $1.evictions }
        let loads = counts.values.reduce(0) { $0 + $1.loads }
        #expect(evictions > 0)
        #expect(loads == evictions + tight.adapters.all.count(where: \.isResident))
        #expect(statistics.adapters.latencies.values.reduce(0) { $0 + $1.loadTime.count } == loads)
        #expect(statistics.adapters.latencies.values.reduce(0) { $0 + $1.timeToFirstToken.count } == 64)
    }

    @Test func thePinnedStaysAndTheUnloadedGoes() async throws {
        let folders = try AdapterFolders(8)
        let llm = try await folders.load(2, memory: 5 << 20)
        try llm.adapters.pin("a0")
        for number in 2..<8 { try await llm.adapters.load("a\(number)", path: folders.path(number)) }
        #expect(llm.adapters["a0"]?.isResident == true)
        #expect(llm.adapters["a1"]?.isResident == false)
        _ = try await llm.generate(.tokens([5, 6, 7]), sampling: sampling, adapter: "a1")
        #expect(llm.adapters["a1"]?.isResident == true)
        #expect(throws: EngineError.unknownAdapter("x")) { try llm.adapters.pin("x") }
        for number in 0..<8 { try llm.adapters.unload("a\(number)") }
        #expect(await llm.engine.audit() == nil)
        #expect(llm.engine.statistics().adapterBytes == 0)
    }

    @Test func whatCanNeverFitIsRefusedWithTheNumbers() async throws {
        let folders = try AdapterFolders(1)
        await #expect(throws: EngineError.self) { try await folders.load(1, memory: 2 << 20) }
    }

    /// Requests without adapters get the memory that idle adapters hold.
    @Test func idleAdaptersGiveWay() async throws {
        let folders = try AdapterFolders(6)
        let llm = try await folders.load(4, memory: 8 << 20)
        #expect(llm.adapters.all.filter(\.isResident).count == 4)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for client in 0..<24 {
                group.addTask {
                    let prompt = Prompt.tokens((0..<200).map { Int32(10 + ($0 * 3 + client * 17) % 1900) })
                    _ = try await llm.generate(prompt, sampling: sampling)
                }
            }
            try await group.waitForAll()
        }
        #expect(llm.adapters.all.filter(\.isResident).count < 4)
        #expect(await llm.engine.audit() == nil)
    }
}
