import Checkpoints
import SyntheticModels
import Testing

@testable import MartletCommand

@Suite("What a run of many requests means")
struct LoadStatisticsTests {
    @Test func percentilesAreNumpys() {
        let values = Distribution([4, 1, 3, 2])
        #expect(values.values == [1, 2, 3, 4])
        #expect(values.mean == 2.5)
        #expect(values.median == 2.5)
        #expect(values.percentile(0) == 1)
        #expect(values.percentile(100) == 4)
        #expect(abs(values.percentile(90) - 3.7) < 1e-12)
        #expect(abs(values.deviation - 1.118033988749895) < 1e-12)
        #expect(Distribution([7]).percentile(99) == 7)
        #expect(Distribution([]).percentile(50) == 0)
        #expect(Distribution([]).mean == 0)
    }

    private func record(_ sent: Double, _ arrivals: [Double], _ failure: String? = nil) -> RequestRecord {
        var record = RequestRecord(sent: sent)
        record.arrivals = arrivals
        record.outputTokens = arrivals.count
        record.promptTokens = 10
        record.failure = failure
        return record
    }

    @Test func timesOfARequest() {
        let request = record(1, [1.5, 1.75, 2.5])
        #expect(request.timeToFirstToken == 0.5)
        #expect(request.latency == 1.5)
        #expect(request.timePerOutputToken == 0.5)
        #expect(request.interTokenLatencies == [0.25, 0.75])
        #expect(record(0, [1]).timePerOutputToken == nil)
        // Several tokens in one event of a stream.
        var bundled = record(0, [1, 2])
        bundled.outputTokens = 5
        #expect(bundled.timePerOutputToken == 0.25)
    }

    @Test func goodRequestsKeepEveryLimit() throws {
        let records = [
            record(0, [0.1, 0.2]), record(0, [0.6, 0.65]), record(0, [0.1, 0.3]), record(0, [0.1], "broken"),
            record(0, [0.2]), record(0, []),
        ]
        func good(_ limits: String...) throws -> Int {
            try limits.map { try #require(ServiceLevel(argument: $0)) }.goodCount(records)
        }
        #expect(try good("ttft:500") == 3)
        #expect(try good("ttft:500", "tpot:100") == 2)
        #expect(try good("e2el:250") == 2)
        #expect(try good("ttft:0") == 0)
        for text in ["ttft", "ttft:", "ttft:-1", "ttft:x", "speed:5", "ttft:1:2", ""] {
            #expect(ServiceLevel(argument: text) == nil, "\(text)")
        }
    }

    @Test func arrivalsComeAtTheRate() {
        var generator = SplitMix64(state: 3)
        #expect(ArrivalTimes.draw(count: 3, rate: .infinity, using: &generator) == [0, 0, 0])
        for burstiness in [0.3, 1, 4] {
            let times = ArrivalTimes.draw(count: 4000, rate: 5, burstiness: burstiness, using: &generator)
            #expect(times == times.sorted())
            #expect(abs((times.last ?? 0) - 800) < 1e-6)
            let gaps = Distribution(zip(times, times.dropFirst()).map { $1 - $0 })
            // The variation of a gamma distribution is one over the root of its shape.
            let variation = gaps.deviation / gaps.mean * burstiness.squareRoot()
            #expect(abs(variation - 1) < 0.1, "burstiness \(burstiness): \(variation)")
        }
        var again = SplitMix64(state: 3)
        var other = SplitMix64(state: 3)
        #expect(
            ArrivalTimes.draw(count: 9, rate: 1, using: &again) == ArrivalTimes.draw(count: 9, rate: 1, using: &other))
    }

    @Test func namesTakeTurnsByWeight() throws {
        let mix = try #require(AdapterMix(argument: "a:3,b,org/c:x"))
        #expect(mix.parts.map(\.name) == ["a", "b", "org/c:x"])
        let names = mix.assign(count: 10).compactMap(\.self)
        #expect(names.count { $0 == "a" } == 6)
        #expect(names.count { $0 == "b" } == 2)
        #expect(AdapterMix(names: ["x", "y", "z"]).assign(count: 4) == ["x", "y", "z", "x"])
        #expect(AdapterMix(names: []).assign(count: 2) == [nil, nil])
        for text in ["", "a,,b", "a:0", "a:-1", "a:inf", ":2"] { #expect(AdapterMix(argument: text) == nil, "\(text)") }
    }

    @Test func reportCountsWhatSucceeded() throws {
        let records = [record(0, [1, 2]), record(0, [2, 3], "x"), record(1, [2, 2.5, 4]), record(0, [], "x")]
        let report = LoadReport(
            records: records, seconds: 4, levels: [try #require(ServiceLevel(argument: "ttft:1000"))])
        let json = report.json(isDetailed: true)
        #expect(json["completed"] == 2)
        #expect(json["failed"] == 2)
        #expect(json["total_input_tokens"] == 20)
        #expect(json["total_output_tokens"] == 5)
        #expect(json["output_throughput"] == 1.25)
        #expect(json["total_token_throughput"] == 6.25)
        #expect(json["request_throughput"] == 0.5)
        #expect(json["request_goodput"] == 0.5)
        #expect(json["median_ttft_ms"] == 1000.0)
        #expect(json["p99_itl_ms"] != nil)
        #expect(json["requests"]?.array?.count == 4)
        #expect(report.failures.map(\.reason) == ["x"])
        let text = report.text(Terminal(descriptor: 1, isInteractive: false, noColour: nil, kind: nil))
        #expect(text.contains("Request goodput (req/s):"))
        #expect(text.contains("P99 E2EL (ms):"))
        #expect(text.contains("2 failed: x"))
    }
}

@Suite("Prompts of a measurement")
struct BenchPromptTests {
    @Test func randomPromptsShareTheirPrefixOnly() {
        var random = RandomPrompts(inputLength: 20, outputLength: 5, prefixLength: 30, vocabularySize: 100, seed: 1)
        let prompts = random.prompts(count: 3).compactMap(tokens)
        #expect(prompts.map(\.count) == [50, 50, 50])
        #expect(Set(prompts.map { Array($0.prefix(30)) }).count == 1)
        #expect(Set(prompts.map { Array($0.suffix(20)) }).count == 3)
        #expect(prompts.joined().allSatisfy { (10..<100).contains($0) })
        #expect(random.prompts(count: 3).compactMap(tokens) == prompts)
        random.seed = 2
        #expect(random.prompts(count: 1).compactMap(tokens).first != prompts.first)
        random.vocabularySize = 3
        #expect(random.prompts(count: 1).compactMap(tokens).joined().allSatisfy { (0..<3).contains($0) })
    }

    @Test func lengthsStayInTheirRange() {
        let random = RandomPrompts(inputLength: 100, outputLength: 10, rangeRatio: 0.5, seed: 4)
        let prompts = random.prompts(count: 300)
        let inputs = prompts.compactMap(tokens).map(\.count)
        #expect(inputs.allSatisfy { (50...150).contains($0) })
        #expect(Set(inputs).count > 50)
        #expect(prompts.allSatisfy { (5...15).contains($0.outputTokens) })
    }

    @Test func chatsGetAWordForEachToken() throws {
        let random = RandomPrompts(inputLength: 12, outputLength: 5)
        let message = try #require(random.prompts(count: 1).first).asMessage
        guard case .text(let text) = message.content else {
            Issue.record("not a text")
            return
        }
        #expect(text.split(separator: " ").count == 12)
    }

    @Test func filesOfPrompts() throws {
        let file = Array((#"{"prompt": "a", "output_len": 3, "adapter": "x"}"# + "\n\n" + #""b""#).utf8)
        let prompts = try PromptDataset.prompts(file: file, name: "f", count: 3, outputLength: 9)
        #expect(prompts.map(\.content) == [.text("a"), .text("b"), .text("a")])
        #expect(prompts.map(\.outputTokens) == [3, 9, 3])
        #expect(prompts.map(\.adapter) == ["x", nil, "x"])
        for line in [#"{"prompt": "a", "output_len": 0}"#, #"{"prompt": "a", "adapter": ["x", "y"]}"#, "{}", ""] {
            #expect(throws: CommandError.self, "\(line)") {
                try PromptDataset.prompts(file: Array(line.utf8), name: "f", count: 1, outputLength: 1)
            }
        }
    }

    private func tokens(_ prompt: BenchPrompt) -> [Int32]? {
        if case .tokens(let tokens) = prompt.content { tokens } else { nil }
    }
}
