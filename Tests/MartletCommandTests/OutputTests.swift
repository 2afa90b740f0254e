import Checkpoints
import Engine
import Sampling
import Testing

@testable import MartletCommand

@Suite("What people and programs read")
struct OutputTests {
    @Test(arguments: [
        (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (5 << 30, "5.0 GiB"),
        (300 << 20, "300 MiB"),
        (-2048, "-2.0 KiB"),
    ])
    func bytes(count: Int, expected: String) { #expect(Format.bytes(count) == expected) }

    @Test(arguments: [(0, "0"), (999, "999"), (1000, "1 000"), (1_234_567, "1 234 567"), (-1000, "-1 000")])
    func grouped(count: Int, expected: String) { #expect(Format.grouped(count) == expected) }

    @Test(arguments: [
        (1.005, 1, "1.0"), (1.25, 1, "1.3"), (0.96, 1, "1.0"), (12.0, 0, "12"), (-0.001, 2, "0.00"), (-1.5, 1, "-1.5"),
        (.infinity, 1, "inf"),
    ])
    func fixed(value: Double, digits: Int, expected: String) { #expect(Format.fixed(value, digits) == expected) }

    @Test func parameters() {
        #expect(Format.parameters(4_951_296) == "5.0 M")
        #expect(Format.parameters(1_235_814_400) == "1.24 B")
    }

    @Test func coloursOnlyOnATerminal() {
        func terminal(_ isInteractive: Bool, _ noColour: String?, _ kind: String?) -> Terminal {
            Terminal(descriptor: 1, isInteractive: isInteractive, noColour: noColour, kind: kind)
        }
        #expect(terminal(true, nil, "xterm").dim("x") == "\u{1B}[2mx\u{1B}[0m")
        #expect(terminal(true, "", "xterm").hasColours)
        #expect(!terminal(true, "1", "xterm").hasColours)
        #expect(!terminal(true, nil, "dumb").hasColours)
        #expect(terminal(false, nil, "xterm").bold("x") == "x")
    }

    @Test func headings() {
        #expect(ResultFormat.heading(prompt: 0, of: 1, choice: 0, of: 1) == nil)
        #expect(ResultFormat.heading(prompt: 1, of: 5, choice: 0, of: 1) == "[2/5]")
        #expect(ResultFormat.heading(prompt: 0, of: 1, choice: 0, of: 4) == "[choice 1/4]")
        #expect(ResultFormat.heading(prompt: 4, of: 5, choice: 3, of: 4) == "[5/5, choice 4/4]")
    }

    @Test func medians() {
        #expect(Median.of([]) == nil)
        #expect(Median.of([3]) == 3)
        #expect(Median.of([9, 1, 2]) == 2)
        #expect(Median.of([4, 1, 2, 9]) == 3)
    }

    @Test func decodeRateCountsFromTheLastFirstToken() throws {
        let start = ContinuousClock.now
        let times = [[0.0, 1, 2, 3], [1.0, 2, 3]].map { $0.map { start + .seconds($0) } }
        let rate = try #require(OverviewMeasurement.rate(times))
        #expect(abs(rate - 2) < 1e-9)
        #expect(OverviewMeasurement.rate([[start]]) == nil)
        #expect(OverviewMeasurement.rate([]) == nil)
    }
}

@Suite("Prompts of generate")
struct PromptRecordTests {
    private func record(_ line: String) throws -> PromptRecord { try PromptRecord(line: Array(line.utf8)) }

    @Test func lines() throws {
        #expect(try record(#""hi""#) == PromptRecord(.text("hi")))
        #expect(try record(#"{"prompt": "hi", "id": 7}"#) == PromptRecord(.text("hi"), id: 7))
        #expect(
            try record(#"{"prompt": "hi", "adapter": "a"}"#)
                == PromptRecord(.text("hi"), adapters: [AdapterSelection("a")]))
        #expect(
            try record(#"{"prompt": "hi", "adapter": ["a", {"name": "b", "scale": 0.5}, {"name": "c"}]}"#).adapters
                == [AdapterSelection("a"), AdapterSelection("b", scale: 0.5), AdapterSelection("c")])
        #expect(try record(#"{"prompt": "hi", "adapter": null}"#).adapters == [])
        #expect(try record(#"{"prompt": "hi", "adapter": []}"#).asChat(system: nil).adapters == [])
        #expect(try record(#"{"prompt": [1, 2]}"#) == PromptRecord(.tokens([1, 2])))
        #expect(try record(#"{"messages": [{"role": "user"}]}"#) == PromptRecord(.chat([["role": "user"]])))
    }

    @Test(arguments: [
        "7", "{}", #"{"prompt": 5}"#, #"{"prompt": ["a"]}"#, #"{"messages": {}}"#, #"{"prompt": "a", "messages": []}"#,
        "{", #"{"prompt": "a", "adapter": 1}"#, #"{"prompt": "a", "adapter": ""}"#,
        #"{"prompt": "a", "adapter": [[]]}"#, #"{"prompt": "a", "adapter": {"scale": 1}}"#,
        #"{"prompt": "a", "adapter": {"name": "a", "scale": "x"}}"#,
    ])
    func refusesOtherLines(line: String) { #expect(throws: (any Error).self) { try record(line) } }

    @Test func fileNamesTheBadLine() throws {
        let records = try PromptRecord.records(file: Array("\"a\"\n\n \n\"b\"\n".utf8), name: "f")
        #expect(records == [PromptRecord(.text("a")), PromptRecord(.text("b"))])
        let error = #expect(throws: CommandError.self) {
            try PromptRecord.records(file: Array("\"a\"\n\nx\n".utf8), name: "f")
        }
        #expect(error?.description.hasPrefix("f, line 3: ") == true)
    }

    @Test func chatsFromTexts() {
        #expect(
            PromptRecord(.text("hi"), id: 1).asChat(system: "S")
                == PromptRecord(
                    .chat([["role": "system", "content": "S"], ["role": "user", "content": "hi"]]), id: 1))
        #expect(PromptRecord(.tokens([1])).asChat(system: nil) == PromptRecord(.tokens([1])))
    }
}

@Suite("Many prompts of generate")
struct BatchRunTests {
    @Test func eachLineGetsItsOwnAdapterAndPlace() async throws {
        var configuration = EngineConfiguration()
        configuration.cacheMemory = 32 << 20
        let llm = try await LLM(configuration: configuration)
        var sampling = SamplingParameters.greedy
        sampling.maxTokens = 12
        let question = #""messages": [{"role": "user", "content": "How many people are there"}]"#
        let adapters = [#""sql""#, "null", #"[{"name": "sql", "scale": 1}]"#, #""no-such-one""#, #""certainty""#]
        let lines = (0..<40).map { #"{\#(question), "adapter": \#(adapters[$0 % 5])}"# } + ["{\(question)}"]
        let records = try PromptRecord.records(file: Array(lines.joined(separator: "\n").utf8), name: "f")
        let run = BatchRun(
            records: records, choice: AdapterChoice(llm: llm, isDemo: true), sampling: sampling, adapters: ["sql"],
            requiresInvocation: false)
        var order: [Int] = []
        var texts: [Int: String] = [:]
        await run.results { index, result in
            order.append(index)
            switch result {
            case .success(let result): texts[index] = result.text
            case .failure(let error): texts[index] = "\(error)"
            }
        }
        #expect(order == Array(0..<41))
        for index in 0..<41 {
            let text = texts[index] ?? ""
            switch index % 5 {
            case 0, 2: #expect(text == "SELECT COUNT(*) FROM staff;")
            case 3: #expect(text.contains("'no-such-one'"))
            default: #expect(text == texts[1] && !text.hasPrefix("SELECT") && !text.isEmpty)
            }
        }
        let strict = BatchRun(
            records: [records[4]], choice: run.choice, sampling: sampling, adapters: [], requiresInvocation: true)
        await strict.results { _, result in
            #expect(throws: EngineError.self) { try result.get() }
        }
        llm.engine.shutdown()
    }
}
