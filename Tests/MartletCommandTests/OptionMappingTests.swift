import ArgumentParser
import Engine
import Sampling
import Server
import Testing

@testable import MartletCommand

@Suite("Flags become configurations")
struct OptionMappingTests {
    @Test func servingWithoutFlagsIsTheDemoWithDefaults() throws {
        let command = try ServeCommand.parse([])
        let engine = try command.engineConfiguration()
        let defaults = EngineConfiguration()
        #expect(engine.model == nil)
        #expect(engine.servedModelNames.isEmpty)
        #expect(engine.dtype == .auto)
        #expect(engine.maxModelLength == nil)
        #expect(engine.maxSequences == defaults.maxSequences)
        #expect(engine.maxBatchedTokens == defaults.maxBatchedTokens)
        #expect(engine.blockSize == defaults.blockSize)
        #expect(engine.cacheMemory == nil)
        #expect(engine.maxQueuedRequests == defaults.maxQueuedRequests)
        let server = try command.server.configuration(environmentKeys: nil)
        #expect(server.host == ServerConfiguration().host)
        #expect(server.port == 8000)
        #expect(server.apiKeys.isEmpty)
        #expect(server.allowedOrigins == ["*"])
        #expect(server.shutdownTimeout == .seconds(30))
    }

    @Test func servingWithEveryFlag() throws {
        let command = try ServeCommand.parse([
            "models/x", "--host", "127.0.0.1", "--port", "9000", "--dtype", "float32", "--max-model-len", "2k",
            "--max-num-seqs", "7", "--max-num-batched-tokens", "512", "--block-size", "32", "--served-model-name", "a",
            "b", "--api-key", "k1", "--api-key", "k2", "--chat-template", "{{ messages }}", "--seed", "5", "--threads",
            "3", "--cache-memory", "2GiB", "--max-num-queued-reqs", "9", "--shutdown-timeout", "1.5",
            "--allowed-origins", #"["https://a.example", "https://b.example"]"#, "--trust-request-chat-template",
            "--log-level", "warning", "--max-body-size", "1MiB", "--request-timeout", "60",
            "--return-tokens-as-token-ids", "--disable-request-log", "--weight-cache", "kept",
        ])
        let engine = try command.engineConfiguration()
        #expect(engine.model == "models/x")
        #expect(engine.dtype == .float32)
        #expect(engine.weightCache == "kept")
        #expect(engine.maxModelLength == 2000)
        #expect(engine.maxSequences == 7)
        #expect(engine.maxBatchedTokens == 512)
        #expect(engine.blockSize == 32)
        #expect(engine.servedModelNames == ["a", "b"])
        #expect(engine.chatTemplate == "{{ messages }}")
        #expect(engine.seed == 5)
        #expect(engine.threads == 3)
        #expect(engine.cacheMemory == 2 << 30)
        #expect(engine.maxQueuedRequests == 9)
        let server = try command.server.configuration(environmentKeys: "k3,k4")
        #expect(server.host == "127.0.0.1")
        #expect(server.port == 9000)
        #expect(server.apiKeys == ["k1", "k2", "k3", "k4"])
        #expect(server.allowedOrigins == ["https://a.example", "https://b.example"])
        #expect(server.shutdownTimeout == .milliseconds(1500))
        #expect(server.requestTimeout == .seconds(60))
        #expect(server.maxBodyBytes == 1 << 20)
        #expect(server.trustsRequestChatTemplates)
        #expect(server.returnsTokensAsTokenIDs)
        #expect(!server.logsRequests)
        #expect(command.logLevel == .warning)
    }

    @Test func vLLMsNamesForTheSameThings() throws {
        let command = try ServeCommand.parse([
            "--model", "m", "--kv-cache-memory-bytes", "1000", "--max-model-len", "-1",
        ])
        let engine = try command.engineConfiguration()
        #expect(engine.model == "m")
        #expect(engine.cacheMemory == 1000)
        #expect(engine.maxModelLength == nil)
    }

    @Test(arguments: [
        ["a", "--model", "b"], ["--port", "70000"], ["--dtype", "int3"], ["--no-such-flag"],
        ["--cache-memory", "lots"],
        ["--request-timeout", "0"], ["--shutdown-timeout", "nan"], ["--max-body-size", "1"],
    ])
    func refusesUsage(arguments: [String]) {
        #expect(throws: (any Error).self) { try ServeCommand.parse(arguments) }
    }

    @Test func anEmptyKeyDoesNotOpenTheServer() throws {
        let command = try ServeCommand.parse(["--api-key", ""])
        #expect(throws: ValidationError.self) { try command.server.configuration(environmentKeys: nil) }
    }

    @Test func chatTakesCacheForOneConversation() throws {
        #expect(try ChatCommand.parse([]).engineConfiguration().maxSequences == 1)
    }

    @Test func chatTemplateIsAFileOrText() throws {
        #expect(try ChatTemplateArgument.text("{{ 1 }}") == "{{ 1 }}")
        #expect(try ChatTemplateArgument.text(#filePath).hasPrefix("import ArgumentParser"))
        #expect(throws: ValidationError.self) { try ChatTemplateArgument.text("no/such/file.jinja") }
    }
}

@Suite("What the server says when it is ready")
struct ReadyNoticeTests {
    @Test func shellQuoting() { #expect(ReadyNotice.quoted("it's") == #"'it'\''s'"#) }

    @Test(arguments: [
        ("0.0.0.0", "localhost"), ("::", "localhost"), ("::1", "[::1]"), ("10.0.0.1", "10.0.0.1"), ("", "localhost"),
    ])
    func addressCanBeReached(host: String, expected: String) { #expect(ReadyNotice.reachable(host) == expected) }
}

@Suite("Sampling flags go over the model's defaults")
struct SamplingOptionsTests {
    @Test func nothingGivenChangesNothing() throws {
        var defaults = SamplingParameters()
        defaults.temperature = 0.3
        defaults.maxTokens = 17
        #expect(try SamplingOptions.parse([]).parameters(over: defaults) == defaults)
    }

    @Test func everythingGiven() throws {
        let options = try SamplingOptions.parse([
            "--max-tokens", "1k", "--min-tokens", "2", "-t", "0.5", "--top-p", "0.9", "--top-k", "-1", "--min-p", "0.1",
            "--seed", "18446744073709551615", "--stop", "-", "--stop", "END", "--stop-token-id", "4",
            "--presence-penalty", "-0.5", "--frequency-penalty", "0.25", "--repetition-penalty", "1.1", "--bad-word",
            "--x", "--ignore-eos",
        ])
        var expected = SamplingParameters()
        expected.maxTokens = 1000
        expected.minTokens = 2
        expected.temperature = 0.5
        expected.topP = 0.9
        expected.topK = 0
        expected.minP = 0.1
        expected.seed = .max
        expected.stop = ["-", "END"]
        expected.stopTokenIDs = [4]
        expected.presencePenalty = -0.5
        expected.frequencyPenalty = 0.25
        expected.repetitionPenalty = 1.1
        expected.badWords = ["--x"]
        expected.ignoreEOS = true
        #expect(options.parameters(over: SamplingParameters()) == expected)
    }

    @Test func generateAddsChoicesAndLogprobs() throws {
        let command = try GenerateCommand.parse([
            "hi", "--json", "-n", "3", "--logprobs", "5", "--prompt-logprobs", "0",
        ])
        let parameters = command.parameters(over: SamplingParameters())
        #expect(parameters.n == 3)
        #expect(parameters.logprobs == 5)
        #expect(parameters.promptLogprobs == 0)
    }

    @Test(arguments: [["hi", "--logprobs", "5"], ["hi", "--file", "x"], ["--file", "x", "--prompts-file", "y"]])
    func generateRefusesWhatDoesNotFitTogether(arguments: [String]) {
        #expect(throws: (any Error).self) { try GenerateCommand.parse(arguments) }
    }
}
