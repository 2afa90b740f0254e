import Foundation
import Sampling
import Testing

@testable import Engine

/// Which adapters a prompt gets, and what is counted of them.
@Suite struct AdapterChoiceTests {
    private var sampling: SamplingParameters {
        var sampling = SamplingParameters.greedy
        sampling.maxTokens = 6
        sampling.ignoreEOS = true
        sampling.logprobs = 0
        return sampling
    }

    @Test func eachPromptOfACallHasAdaptersOfItsOwn() async throws {
        let llm = try await TinyModel("plain").load(["lora", "lora-bias", "ia3", "ln-tuning"])
        let sums: [[AdapterSelection]] = [
            ["lora"], [], [AdapterSelection("lora", scale: 0.5), "lora-bias"], ["ia3", "ln-tuning"],
        ]
        let prompt = Prompt.tokens([1, 7, 30, 8])
        let prompts = Array(repeating: prompt, count: 6)
        let results = try await llm.generate(prompts, sampling: sampling, adapterSums: sums)
        for (index, result) in results.enumerated() {
            var request = GenerationRequest(id: "r", prompt: [1, 7, 30, 8], sampling: sampling)
            request.adapters = index < sums.count ? sums[index] : []
            let expected = try await Answer(request, from: llm)
            #expect(result.outputs.first?.tokens == expected.tokens, "\(request.adapters)")
            #expect(result.outputs.first?.logprobs.map(\.chosen.logprob) == expected.logprobs)
            #expect(result.adapterUse == (request.adapters.isEmpty ? nil : .from(0)))
        }
        let named = try await llm.generate(prompts, sampling: sampling, adapters: ["lora", nil, "ia3"])
        #expect(named[0].outputs.map(\.logprobs) == results[0].outputs.map(\.logprobs))
        #expect(named[1].outputs.map(\.logprobs) == results[1].outputs.map(\.logprobs))
        #expect(named[5].outputs.map(\.logprobs) == results[1].outputs.map(\.logprobs))
        #expect(named[2].outputs.map(\.logprobs) != results[1].outputs.map(\.logprobs))
    }

    @Test func aPromptWithoutTheInvocationIsRefusedWhenItIsRequired() async throws {
        let llm = try await TinyModel("plain").load(["alora", "lora"])
        let invoked = try await llm.generate(
            .tokens([1, 4, 9, 5]), sampling: sampling, adapter: "alora", requiresInvocation: true)
        #expect(invoked.adapterUse == .from(1))
        for prompt in [Prompt.tokens([1, 4, 9]), .text("t1 t4 t9")] {
            do {
                _ = try await llm.generate(prompt, sampling: sampling, adapter: "alora", requiresInvocation: true)
                Issue.record("\(prompt) was answered")
            } catch EngineError.invalidRequest(let parameter, let message) {
                #expect(parameter == "prompt")
                #expect(message.contains("'alora'") && message.contains("tokens 4 9 5"), "\(message)")
            }
            #expect(throws: EngineError.self) {
                try llm.stream(prompt, sampling: sampling, adapter: "alora", requiresInvocation: true)
            }
            let lenient = try await llm.generate(prompt, sampling: sampling, adapter: "alora")
            #expect(lenient.adapterUse == .notInvoked)
        }
        await #expect(throws: EngineError.self) {
            try await llm.generate(
                [.tokens([1, 4, 9, 5]), .tokens([1])], sampling: sampling, adapterSums: [["alora"], ["alora"]],
                requiresInvocation: true)
        }
        _ = try await llm.generate(.tokens([1]), sampling: sampling, adapter: "lora", requiresInvocation: true)
        let numbers = try #require(llm.engine.statistics().adapters.byName["alora"])
        #expect(numbers.requestsWaiting == 0, "what is refused waits for nothing")
        #expect(await llm.engine.audit() == nil)
    }

    @Test func namesOfTheCacheAreFoundOrToldHowToGet() async throws {
        let cache = FileManager.default.temporaryDirectory.path + "/martlet-cache-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: cache) }
        let commit = String(repeating: "0123456789", count: 4)
        let repository = cache + "/models--org--adapter"
        try FileManager.default.createDirectory(
            atPath: repository + "/refs", withIntermediateDirectories: true)
        try FileManager.default.createDirectory(
            atPath: repository + "/snapshots", withIntermediateDirectories: true)
        try commit.write(toFile: repository + "/refs/main", atomically: true, encoding: .utf8)
        try FileManager.default.copyItem(
            atPath: TinyModel.adapter("lora"), toPath: repository + "/snapshots/" + commit)
        let environment = ["HF_HUB_CACHE": cache]
        for name in ["org/adapter", "org/adapter@main", "org/adapter@" + commit] {
            let folder = try AdapterLocation.resolve(name, environment: environment)
            #expect(folder == repository + "/snapshots/" + commit)
        }
        // What exists as a folder is that folder.
        let folder = TinyModel.adapter("lora")
        #expect(try AdapterLocation.resolve(folder, environment: environment) == folder)
        for (name, words) in [
            ("org/other", "hf download org/other"), ("org/adapter@v2", "hf download org/adapter --revision v2"),
            ("../adapter", "no such folder"), (TinyModel.adapter(""), "adapter_config.json"),
        ] {
            do {
                _ = try AdapterLocation.resolve(name, environment: environment)
                Issue.record("\(name) was found")
            } catch {
                #expect("\(error)".contains(words), "\(error)")
            }
        }
        #expect(AdapterLocation.mayBePath("org/other", environment: environment))
        #expect(!AdapterLocation.mayBePath("sql", environment: environment))
        let llm = try await TinyModel("plain").load([])
        let missing = "martlet-tests/is-not-there"
        await #expect { try await llm.generate(.tokens([1]), adapter: missing) } throws: {
            "\($0)".contains("hf download \(missing)")
        }
        await #expect(throws: EngineError.unknownAdapter("sqll")) {
            try await llm.generate(.tokens([1]), adapter: "sqll")
        }
        await #expect { try await llm.adapters.load("x", path: missing) } throws: {
            "\($0)".contains("hf download \(missing)")
        }
    }

    @Test func aReloadReadsTheFilesAgainOrChangesNothing() async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/martlet-reload-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.copyItem(atPath: TinyModel.adapter("lora"), toPath: folder)
        let llm = try await TinyModel("plain").load([])
        try await llm.adapters.load("a", path: folder)
        let before = try #require(llm.adapters["a"])
        #expect(before.loadSeconds > 0 && before.lastUsed == nil && before.vocabularySize == TinyModel.vocabularySize)
        let config = try String(contentsOfFile: folder + "/adapter_config.json", encoding: .utf8)
        try config.replacing(#""lora_alpha": 7"#, with: #""lora_alpha": 9"#)
            .write(toFile: folder + "/adapter_config.json", atomically: true, encoding: .utf8)
        try llm.adapters.pin("a")
        let after = try await llm.adapters.reload("a")
        #expect(after.digest != before.digest)
        #expect(llm.adapters["a"]?.isPinned == true)
        _ = try await llm.generate(.tokens([1]), sampling: sampling, adapter: "a")
        #expect(llm.adapters["a"]?.lastUsed != nil)
        try "{".write(toFile: folder + "/adapter_config.json", atomically: true, encoding: .utf8)
        await #expect(throws: EngineError.self) { try await llm.adapters.reload("a") }
        #expect(llm.adapters["a"]?.digest == after.digest)
        await #expect(throws: EngineError.unknownAdapter("b")) { try await llm.adapters.reload("b") }
        #expect(await llm.engine.audit() == nil)
    }

    @Test func theNumberOfNamesIsBounded() throws {
        var table = AdapterStatisticsTable()
        for number in 0..<1000 {
            table.update("a\(number)") { $0.requests += 1 }
            table.observe(\.timeToFirstToken, 0.5, of: ["a\(number)"])
        }
        #expect(table.byName.count == AdapterStatisticsTable.limit + 1)
        #expect(table.latencies.count == AdapterStatisticsTable.latencyLimit + 1)
        #expect(table.byName.values.reduce(0) { $0 + $1.requests } == 1000)
        #expect(table.latencies.values.reduce(0) { $0 + $1.timeToFirstToken.count } == 1000)
        #expect(table.label(of: "a3") == "a3" && table.label(of: "a999") == "other")
    }
}
