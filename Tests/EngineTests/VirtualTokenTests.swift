import Engine
import Foundation
import Sampling
import Testing

/// What adapters put before the prompt: where it is kept, what it costs and who sees it.
@Suite struct VirtualTokenTests {
    private static let prompt: [Int32] = [1, 7, 30, 8, 12, 31, 5, 4, 9, 5, 22, 3]

    private static func request(
        _ adapters: [AdapterSelection], prompt: [Int32] = prompt,
        _ change: (inout SamplingParameters) -> Void = { _ in }
    ) -> GenerationRequest {
        var sampling = SamplingParameters.greedy
        sampling.maxTokens = 6
        sampling.ignoreEOS = true
        sampling.logprobs = 0
        change(&sampling)
        var request = GenerationRequest(id: "r", prompt: prompt, sampling: sampling)
        request.adapters = adapters
        return request
    }

    /// Copies of a prefix adapter with other numbers in them.
    private final class Prefixes {
        let base = NSTemporaryDirectory() + "/martlet-prefixes-\(UUID().uuidString)"

        init(_ count: Int, like name: String = "prefix-tuning") throws {
            let source = TinyModel.adapter(name)
            let bytes = try Data(contentsOf: URL(fileURLWithPath: source + "/adapter_model.safetensors"))
            for number in 0..<count {
                try FileManager.default.createDirectory(atPath: path(number), withIntermediateDirectories: true)
                try FileManager.default.copyItem(
                    atPath: source + "/adapter_config.json", toPath: path(number) + "/adapter_config.json")
                var changed = bytes
                let value = Float(number) / 8 + 0.5
                withUnsafeBytes(of: value.bitPattern.littleEndian) {
                    changed.replaceSubrange(changed.count - 4..<changed.count, with: $0)
                }
                try changed.write(to: URL(fileURLWithPath: path(number) + "/adapter_model.safetensors"))
            }
        }

        func path(_ number: Int) -> String { base + "/\(number)" }

        deinit { try? FileManager.default.removeItem(atPath: base) }
    }

    @Test(arguments: [true, false])
    func aPrefixIsNeverComputed(caching: Bool) async throws {
        let llm = try await TinyModel("plain").load(["prefix-tuning", "cartridge"]) {
            $0.enablesPrefixCaching = caching
            $0.blockSize = 4
        }
        let names = ["prefix-tuning", "cartridge"]
        for (index, name) in names.enumerated() {
            // Other prompts, so that nothing else can be reused.
            let prompt = [Int32(20 + index)] + Self.prompt
            let before = llm.engine.statistics().iterationTokens.sum
            let answer = try await Answer(Self.request([AdapterSelection(name)], prompt: prompt), from: llm)
            #expect(answer.virtualTokens == (name == "cartridge" ? 4 : 3) && answer.cachedTokens == 0)
            let computed = llm.engine.statistics().iterationTokens.sum - before
            #expect(computed == Double(prompt.count + 5), "the prompt, and each output but the last")
        }
        #expect(await llm.engine.audit() == nil)
    }

    @Test func aSoftPromptIsComputedOnceAtMost() async throws {
        let model = try TinyModel("plain")
        let late = try await model.load(["prompt-tuning"])
        let early = try await model.load(["prompt-tuning"]) { $0.precomputesSoftPrompts = true }
        #expect(early.adapters["prompt-tuning"]?.byteCount ?? 0 > late.adapters["prompt-tuning"]?.byteCount ?? 0)
        let soft = [AdapterSelection("prompt-tuning")]
        func cost(_ llm: LLM, _ prompt: [Int32]) async throws -> (answer: Answer, tokens: Double) {
            let before = llm.engine.statistics().iterationTokens.sum
            let answer = try await Answer(Self.request(soft, prompt: prompt), from: llm)
            return (answer, llm.engine.statistics().iterationTokens.sum - before - 5)
        }
        let first = try await cost(late, Self.prompt)
        #expect(first.tokens == 15 && first.answer.virtualTokens == 3)
        #expect(try await cost(late, Self.prompt.reversed()).tokens == 12, "the soft prompt is found")
        let computed = try await cost(early, Self.prompt)
        #expect(computed.tokens == 12 && computed.answer == first.answer)
        await early.engine.resetPrefixCache()
        #expect(try await cost(early, Self.prompt).answer == first.answer)
    }

    @Test func virtualTokensCountAgainstTheContextAlone() async throws {
        let llm = try await TinyModel("plain").load(["prefix-tuning", "prompt-tuning"]) { $0.maxModelLength = 20 }
        for name in ["prefix-tuning", "prompt-tuning"] {
            let fitting = Self.request([AdapterSelection(name)]) { $0.maxTokens = nil }
            #expect(try await Answer(fitting, from: llm).tokens.count == 20 - 3 - 12)
            do {
                _ = try await Answer(Self.request([AdapterSelection(name)]) { $0.maxTokens = 6 }, from: llm)
                Issue.record("too much was accepted")
            } catch EngineError.invalidRequest(let parameter, let message) {
                #expect(parameter == "max_tokens" && message.contains("3 of the adapter before the prompt"))
            }
        }
        #expect(llm.engine.statistics().promptTokens == 24)
        #expect(try await Answer(Self.request([]) { $0.maxTokens = 8 }, from: llm).tokens.count == 8)
        await #expect(throws: EngineError.self) {
            try await TinyModel("plain").load(["cartridge"]) { $0.maxModelLength = 4 }
        }
    }

    @Test(arguments: [1, 3, 2048])
    func logprobsOfThePromptLeaveThemOut(budget: Int) async throws {
        let names = ["prefix-tuning", "prompt-tuning", "alora"]
        let llm = try await TinyModel("plain").load(names) { $0.maxBatchedTokens = budget }
        let sums = [["prefix-tuning"], ["prompt-tuning"], ["prompt-tuning", "alora"], ["prefix-tuning", "alora"]]
        for adapters in sums {
            let request = Self.request(adapters.map { AdapterSelection($0) }) {
                $0.promptLogprobs = 1
                $0.n = 2
            }
            var reported: [PositionLogprobs?] = []
            for try await case .started(let report) in try llm.engine.generate(request) {
                reported = report.logprobs ?? []
                #expect(report.promptTokens == Self.prompt.count && report.virtualTokens == 3)
            }
            #expect(reported.count == Self.prompt.count && reported[0] == nil, "\(adapters)")
            #expect(reported.dropFirst().map { $0?.chosen.token } == Self.prompt.dropFirst().map { $0 })
        }
    }

    @Test func whatHasNoMeaningIsRefused() async throws {
        let names = ["prefix-tuning", "prompt-tuning", "multitask-prompt-tuning", "lora"]
        let llm = try await TinyModel("plain").load(names)
        for (adapters, words) in [
            ([AdapterSelection("prefix-tuning"), AdapterSelection("prompt-tuning")], "both put something before"),
            ([AdapterSelection("prefix-tuning", scale: 0.5)], "no scale"),
            ([AdapterSelection("multitask-prompt-tuning")], "2 tasks"),
            ([AdapterSelection("multitask-prompt-tuning", task: 2)], "tasks 0 to 1"),
            ([AdapterSelection("multitask-prompt-tuning", task: -1)], "no task -1"),
            ([AdapterSelection("lora", task: 1)], "no tasks to choose from"),
        ] {
            do {
                _ = try await Answer(Self.request(adapters), from: llm)
                Issue.record("\(adapters) were accepted")
            } catch EngineError.invalidRequest(let parameter, let message) {
                #expect(parameter == "adapters" && message.contains(words), "\(message)")
            }
        }
        let tasks = try await [
            Answer(Self.request([AdapterSelection("multitask-prompt-tuning", task: 0)]), from: llm),
            Answer(Self.request([AdapterSelection("multitask-prompt-tuning", task: 1)]), from: llm),
        ]
        #expect(tasks[0].logprobs != tasks[1].logprobs && tasks[1].cachedTokens == 0)
    }

    /// One content under several names, replaced and unloaded while requests run, and nothing left at the end.
    @Test func aPrefixIsThereOnce() async throws {
        let model = try TinyModel("plain")
        let llm = try await model.load([]) { $0.blockSize = 1 }
        func held() async -> Int {
            _ = await llm.engine.audit()
            let statistics = llm.engine.statistics()
            return Int((statistics.cacheUsage * Double(statistics.blockCount)).rounded())
        }
        for name in ["a", "b", "c"] { try await llm.adapters.load(name, path: TinyModel.adapter("prefix-tuning")) }
        #expect(await held() == 3)
        try llm.adapters.unload("a")
        #expect(await held() == 3)
        let expected = try await Answer(Self.request([AdapterSelection("b")]) { $0.maxTokens = 40 }, from: llm)
        let stream = try llm.engine.generate(Self.request([AdapterSelection("b")]) { $0.maxTokens = 40 })
        try await llm.adapters.load("b", path: TinyModel.adapter("cartridge"), replacing: true)
        try llm.adapters.unload("c")
        var tokens: [Int32] = []
        for try await case .delta(let delta) in stream { tokens += delta.tokens }
        #expect(tokens == expected.tokens, "the request goes on with what it began with")
        try llm.adapters.unload("b")
        // The last request's lease ends with its stream, a moment after its last token.
        for _ in 0..<1000 where await held() > 0 { await Task.yield() }
        #expect(await held() == 0)
        #expect(await llm.engine.audit() == nil)
    }

    /// More prefixes than memory, asked for by many at once.
    @Test func prefixesComeAndGoUnderLoad() async throws {
        let count = 40
        let prefixes = try Prefixes(count)
        let model = try TinyModel("plain")
        // A position takes 512 bytes; a prefix of three has one block of four.
        func load(blocks: Int) async throws -> LLM {
            let llm = try await model.load([]) {
                $0.blockSize = 4
                $0.maxModelLength = 32
                $0.cacheMemory = blocks * 2048
            }
            for number in 0..<count { try await llm.adapters.load("p\(number)", path: prefixes.path(number)) }
            return llm
        }
        let roomy = try await load(blocks: 400)
        let tight = try await load(blocks: 8 + 12)
        #expect(roomy.adapters.all.count(where: \.isResident) == count)
        #expect(
            tight.adapters.all.filter(\.isResident).map(\.name).sorted() == (28..<40).map { "p\($0)" }, "the latest")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for client in 0..<32 {
                group.addTask {
                    for turn in 0..<10 {
                        let request = Self.request([AdapterSelection("p\((client * 7 + turn * 3) % count)")])
                        let expected = try await Answer(request, from: roomy)
                        let lease = try await tight.adapters.prepare(request.adapters.map(\.name))
                        let found = try await Answer(request, from: tight)
                        withExtendedLifetime(lease) {}
                        #expect(found.tokens == expected.tokens && found.logprobs == expected.logprobs)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(await tight.engine.audit() == nil)
        #expect(tight.engine.statistics().cacheBytes <= 20 * 2048)
        #expect(tight.engine.statistics().adapters.byName.values.reduce(0) { $0 + $1.evictions } > 0)
        // One after another again, who was used longest ago goes first.
        for number in [3, 9, 30, 11] {
            let lease = try await tight.adapters.prepare(["p\(number)"])
            _ = try await Answer(Self.request([AdapterSelection("p\(number)")]), from: tight)
            withExtendedLifetime(lease) {}
        }
        for number in 12..<21 where ![3, 9, 30, 11].contains(number) {
            _ = try await tight.adapters.prepare(["p\(number)"])
        }
        let resident = Set(tight.adapters.all.filter(\.isResident).map(\.name))
        #expect(resident.isSuperset(of: ["p9", "p30", "p11"] + (12..<21).map { "p\($0)" }))
        #expect(resident.count == 12)
    }
}
