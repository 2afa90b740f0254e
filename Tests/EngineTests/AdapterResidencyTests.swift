import DemoModel
import Engine
import Foundation
import Sampling
import Testing

/// More adapters than the memory holds.
@Suite struct AdapterResidencyTests {
    /// Copies of the demo's adapters, told apart by their scale.
    private final class Folders {
        let base = NSTemporaryDirectory() + "/martlet-residency-\(UInt64.random(in: 0 ... .max))"

        init(_ count: Int) throws {
            let source = try DemoModelFolder.locate().adapters + "/sql"
            for number in 0..<count {
                let folder = path(number)
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                try FileManager.default.copyItem(
                    atPath: source + "/adapter_model.safetensors", toPath: folder + "/adapter_model.safetensors")
                let config = try String(contentsOfFile: source + "/adapter_config.json", encoding: .utf8)
                let changed = config.replacing(
                    try Regex(#""lora_alpha": *[0-9.]+"#), with: #""lora_alpha": \#(8 + number)"#)
                try changed.write(toFile: folder + "/adapter_config.json", atomically: true, encoding: .utf8)
            }
        }

        func path(_ number: Int) -> String { base + "/\(number)" }

        deinit { try? FileManager.default.removeItem(atPath: base) }
    }

    private func load(_ count: Int, _ folders: Folders, memory: Int) async throws -> LLM {
        var configuration = EngineConfiguration()
        configuration.dtype = .float32
        configuration.maxModelLength = 256
        configuration.cacheMemory = memory
        let llm = try await LLM(configuration: configuration)
        for number in 0..<count { try await llm.adapters.load("a\(number)", path: folders.path(number)) }
        return llm
    }

    private var sampling: SamplingParameters {
        var sampling = SamplingParameters.greedy
        sampling.maxTokens = 12
        sampling.ignoreEOS = true
        sampling.logprobs = 0
        return sampling
    }

    @Test func adaptersComeAndGoUnderLoad() async throws {
        let count = 24
        let folders = try Folders(count)
        let roomy = try await load(count, folders, memory: 256 << 20)
        let tight = try await load(count, folders, memory: 8 << 20)
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
        let folders = try Folders(8)
        let llm = try await load(2, folders, memory: 5 << 20)
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
        let folders = try Folders(1)
        await #expect(throws: EngineError.self) { try await load(1, folders, memory: 2 << 20) }
    }

    /// Requests without adapters get the memory that idle adapters hold.
    @Test func idleAdaptersGiveWay() async throws {
        let folders = try Folders(6)
        let llm = try await load(4, folders, memory: 8 << 20)
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
