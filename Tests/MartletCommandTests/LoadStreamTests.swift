import ArgumentParser
import Checkpoints
import DemoModel
import Engine
import Logging
import Server
import ServiceLifecycle
import Testing

@testable import MartletCommand

@Suite("Streams of a server under load")
struct LoadStreamTests {
    private func events(_ pieces: [String]) -> [String] {
        var parser = ServerSentEvents()
        return pieces.flatMap { parser.add($0.utf8) }.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func eventsWhereverTheyAreCut() {
        let text = ": hello\ndata: {\"a\":1}\n\ndata:two\r\ndata:  lines\r\n\r\nevent: x\nid: 1\n\ndata: cut"
        let expected = ["{\"a\":1}", "two\n lines"]
        #expect(events([text]) == expected)
        #expect(events(text.unicodeScalars.map { String($0) }) == expected)
        #expect(events(["data: a\r", "\n\r", "\ndata\n\n"]) == ["a", ""])
        #expect(events(["data: a\r\rdata: b\n\n"]) == ["a", "b"])
        #expect(events(["database: x\n\n"]) == [])
    }

    private func record(_ events: [String], isChat: Bool, status: Int = 200, rest: String = "") -> RequestRecord {
        var stream = CompletionStream(RequestRecord(sent: 0), isChat: isChat)
        for (index, event) in events.enumerated() { stream.add(Array(event.utf8), at: Double(index)) }
        return stream.finished(status: status, rest: Array(rest.utf8))
    }

    @Test func tokensOfCompletions() {
        let usage = #"{"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 5}}"#
        let piece = #"{"choices": [{"text": "a"}]}"#
        let full = record([piece, piece, usage, "[DONE]"], isChat: false)
        #expect(full.arrivals == [0, 1])
        #expect(full.promptTokens == 7)
        #expect(full.outputTokens == 5)
        #expect(full.succeeded)
        #expect(record([piece, piece], isChat: false).outputTokens == 2)
        #expect(record([usage], isChat: false).failure != nil)
        #expect(record([piece, "{"], isChat: false).failure?.contains("JSON") == true)
        #expect(record([piece, #"{"error": {"message": "full"}}"#], isChat: false).failure == "full")
        #expect(
            record([], isChat: false, status: 404, rest: #"{"error": {"message": "no m"}}"#).failure
                == "status 404: no m")
        #expect(record([], isChat: false, status: 502, rest: "<html>").failure == "status 502")
    }

    @Test func theRoleOfAChatIsNoToken() {
        let chat = record(
            [
                #"{"choices": [{"delta": {"role": "assistant", "content": ""}}]}"#,
                #"{"choices": [{"delta": {"content": "a"}}]}"#,
                #"{"choices": [{"delta": {"reasoning_content": "b"}}]}"#,
                #"{"choices": [{"delta": {}, "finish_reason": "stop"}]}"#,
            ], isChat: true)
        #expect(chat.arrivals == [1, 2])
    }

    @Test(arguments: [
        [], ["--base-url", "http://h:1/v1/"], ["--request-rate", "2.5", "--burstiness", "0.5"],
        ["--goodput", "ttft:500", "tpot:50", "--json", "-"], ["--random-input-len", "5", "--random-output-len", "6"],
        ["--adapters", "a:2,b", "--max-concurrency", "4"], ["--backend", "openai-chat", "--no-ignore-eos"],
        ["--extra-body", #"{"top_k": 1}"#, "--metric-percentiles", "50,95,99.9"],
    ])
    func usage(arguments: [String]) throws {
        let command = try RootCommand.parseAsRoot(["bench", "serve"] + arguments)
        #expect(command is BenchServeCommand)
    }

    @Test(arguments: [
        ["serve", "--request-rate", "0"], ["serve", "--goodput", "fast"], ["serve", "--metric-percentiles", "50,x"],
        ["serve", "--extra-body", "[]"], ["serve", "--num-prompts", "0"], ["serve", "--adapters", "a,,b"],
        ["latency", "--batch-size", "0"], ["latency", "m", "--shape", "demo"], ["throughput", "--input-len", "0"],
        ["--batch", "0"], ["--repeats", "0"],
    ])
    func refusesUsage(arguments: [String]) {
        #expect(throws: (any Error).self) { try RootCommand.parseAsRoot(["bench"] + arguments) }
    }

    @Test func benchAloneIsTheOverview() throws {
        let command = try #require(
            try RootCommand.parseAsRoot(["bench", "--shape", "1b", "--batch", "1", "8", "--output-tokens", "16"])
                as? OverviewCommand)
        #expect(command.batchSizes == [1, 8])
        #expect(try command.engineConfiguration().maxSequences == 8)
        #expect(try RootCommand.parseAsRoot(["bench"]) is OverviewCommand)
    }

    @Test func addressesOfOtherClients() throws {
        func address(_ arguments: String...) throws -> String { "\(try LoadTarget.parse(arguments).address())" }
        #expect(try address() == "http://127.0.0.1:8000")
        #expect(try address("--base-url", "http://h:9/v1/") == "http://h:9")
        #expect(try address("--host", "::1", "--port", "7") == "http://[::1]:7")
    }
}

@Suite("Load on a server with the demo model")
struct LoadServerTests {
    @Test func completionsChatsAndAdapters() async throws {
        var configuration = ServerConfiguration()
        configuration.host = "127.0.0.1"
        configuration.port = 0
        configuration.logsRequests = false
        var engineConfiguration = EngineConfiguration()
        engineConfiguration.cacheMemory = 32 << 20
        let engine = try await InferenceEngine.load(engineConfiguration)
        try await engine.adapters.load("sql", path: try DemoModelFolder.locate().adapters + "/sql")
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let (ports, portFound) = AsyncStream<Int>.makeStream()
        let server = MartletServer(engine: engine, configuration: configuration, logger: logger) { portFound.yield($0) }
        let group = ServiceGroup(configuration: .init(services: [server], logger: logger))
        async let running: Void = group.run()
        var iterator = ports.makeAsyncIterator()
        let port = try #require(await iterator.next())
        let result: Result<Void, any Error>
        do { result = .success(try await exchange(port: port)) } catch { result = .failure(error) }
        await group.triggerGracefulShutdown()
        try await running
        engine.shutdown()
        try result.get()
    }

    private func exchange(port: Int) async throws {
        for backend in ["openai", "openai-chat"] {
            let target = try LoadTarget.parse(["--port", "\(port)", "--backend", backend])
            let client = try await target.client(isRandom: true)
            #expect(client.model == "martlet-demo")
            var prompts = RandomPrompts(inputLength: 24, outputLength: 6, prefixLength: 8).prompts(count: 6)
            let names = AdapterMix(names: ["martlet-demo", "sql", "none"]).assign(count: 6)
            for index in prompts.indices { prompts[index].adapter = names[index] }
            let sent = prompts
            let driver = LoadDriver(arrivals: [0, 0, 0, 0.001, 0.002, 0.003], maxConcurrency: 2)
            let (records, seconds) = await driver.run { index, start in
                await client.request(sent[index], start: start)
            }
            #expect(seconds > 0)
            for (index, record) in records.enumerated() {
                #expect(record.adapter == names[index])
                if names[index] == "none" {
                    #expect(record.failure?.hasPrefix("status 404") == true, "\(record.failure ?? "")")
                    continue
                }
                #expect(record.succeeded, "\(record.failure ?? "")")
                #expect(record.outputTokens == 6)
                #expect(backend == "openai-chat" || record.promptTokens == 32)
                #expect((1...6).contains(record.arrivals.count))
                #expect(record.arrivals == record.arrivals.sorted())
                #expect(record.timeToFirstToken > 0)
            }
        }
        // The command itself; what it writes is for the eyes.
        let command = try #require(
            try RootCommand.parseAsRoot([
                "bench", "serve", "--base-url", "http://127.0.0.1:\(port)/v1", "--num-prompts", "4", "--input-len", "8",
                "--output-len", "3", "--request-rate", "1000", "--adapters", "sql", "--goodput", "ttft:60000",
            ]) as? BenchServeCommand)
        try await command.run()
        let nobody = try LoadTarget.parse([
            "--port", "\(port)", "--backend", "openai", "--endpoint", "/none", "-m", "x",
        ])
        let failed = await (try nobody.client(isRandom: true)).request(
            BenchPrompt(content: .text("a"), outputTokens: 1), start: .now)
        #expect(failed.failure?.hasPrefix("status 404") == true)
    }
}

@Suite("Latency of a batch")
struct LatencyReportTests {
    private func record(_ arrivals: [Double]) -> RequestRecord {
        var record = RequestRecord(sent: 0)
        record.arrivals = arrivals
        record.outputTokens = arrivals.count
        record.promptTokens = 100
        return record
    }

    @Test func ratesCountFromTheLastFirstToken() {
        let run = [record([0, 1, 2, 3]), record([1, 2, 3])]
        #expect(LatencyReport.decodeRate(run) == 2)
        #expect(LatencyReport.prefillRate(run) == 200)
        #expect(LatencyReport.decodeRate([record([1])]) == nil)
        #expect(LatencyReport.decodeRate([]) == nil)
        #expect(LatencyReport.prefillRate([]) == nil)
    }
}
