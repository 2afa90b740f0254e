import ArgumentParser
import Checkpoints
import Engine
import Sampling

/// `martlet generate`: complete prompts.
struct GenerateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Complete one prompt or many.",
        discussion: """
            The prompt is the argument, a file, or standard input. It is completed as it stands; with --chat it is a \
            user's message that the model answers. A prompts file has one prompt in each line: a JSON string, or \
            {"prompt": TEXT or IDS} or {"messages": […]}, with an optional "id" that comes back with the result, and an \
            optional "adapter" in place of --adapter: a name, {"name": …, "scale": …}, or a list of these. Results are in the order of the prompts, with --json one object in each line.

            EXAMPLES
              martlet generate --chat "Who are you?"
              martlet generate -m ~/models/llama "Once upon a time" --max-tokens 99 -t 0.8
              martlet generate --file letter.txt --stop "Sincerely"
              martlet generate --adapter sql --chat "How many people are there"
              martlet generate --prompts-file in.jsonl --json --logprobs 5 > out.jsonl
            """)

    @Argument(help: ArgumentHelp("The prompt.", valueName: "prompt"))
    var prompt: String?

    @Option(
        name: [.long, .customShort("m")],
        help: ArgumentHelp("Model folder, or ORG/NAME[@REVISION] in the HuggingFace cache; the default is the demo."))
    var model: String?

    @Option(
        name: [.long, .customShort("f")],
        help: ArgumentHelp("File with the prompt; - is standard input.", valueName: "file"))
    var file: String?

    @Option(
        name: .customLong("prompts-file"),
        help: ArgumentHelp("File with a prompt in each line, as JSON; - is standard input.", valueName: "file"))
    var promptsFile: String?

    @Flag(help: "Treat a text prompt as a user's message.")
    var chat = false

    @Option(help: ArgumentHelp("System message; implies --chat.", valueName: "text"))
    var system: String?

    @Flag(help: "Write JSON lines.")
    var json = false

    @Option(name: .customShort("n"), help: ArgumentHelp("Completions of each prompt.", valueName: "count"))
    var n = 1

    @Option(help: ArgumentHelp("Report this many likeliest tokens at each position; needs --json.", valueName: "count"))
    var logprobs: Int?

    @Option(
        name: .customLong("prompt-logprobs"),
        help: ArgumentHelp("The same for the prompt's tokens; needs --json.", valueName: "count"))
    var promptLogprobs: Int?

    @Option(
        help: ArgumentHelp(
            "Adapter: a folder as PEFT saves it, ORG/NAME[@REVISION] in the HuggingFace cache, or one of the demo model's.",
            valueName: "adapter"))
    var adapter: String?

    @Flag(
        name: .customLong("strict-invocation"),
        help:
            "Refuse prompts that do not invoke the Activated LoRA they are for, instead of answering with the base model."
    )
    var requiresInvocation = false

    @OptionGroup(title: "Sampling") var sampling: SamplingOptions
    @OptionGroup(title: "Engine") var engine: EngineOptions
    @OptionGroup(title: "Steps") var batch: BatchOptions

    func validate() throws {
        guard [prompt, file, promptsFile].count(where: { $0 != nil }) <= 1 else {
            throw ValidationError("Give the prompt once: as the argument, with --file, or with --prompts-file.")
        }
        guard json || logprobs == nil && promptLogprobs == nil else {
            throw ValidationError("--logprobs and --prompt-logprobs need --json.")
        }
    }

    func engineConfiguration() throws -> EngineConfiguration {
        var configuration = try engine.configuration(model: model)
        batch.apply(to: &configuration)
        return configuration
    }

    func parameters(over defaults: SamplingParameters) -> SamplingParameters {
        var parameters = sampling.parameters(over: defaults)
        parameters.n = n
        parameters.logprobs = logprobs
        parameters.promptLogprobs = promptLogprobs
        return parameters
    }

    func run() async throws {
        let records = try readRecords()
        let llm = try await LLM.loadShowingProgress(try engineConfiguration())
        let parameters = parameters(over: llm.engine.defaults)
        let choice = AdapterChoice(llm: llm, isDemo: model == nil)
        if let adapter { try await choice.load(adapter) }
        if let record = records.first, records.count == 1, n == 1, !json, record.adapters == nil {
            try await stream(record, llm, parameters)
        } else {
            try await runBatch(records, choice, parameters)
        }
        llm.engine.shutdown()
    }

    private func readRecords() throws -> [PromptRecord] {
        var records: [PromptRecord]
        if let promptsFile {
            records = try PromptRecord.records(file: InputFile.bytes(promptsFile), name: promptsFile)
            guard !records.isEmpty else { throw CommandError("\(promptsFile) has no prompts.") }
        } else if let prompt {
            records = [PromptRecord(.text(prompt))]
        } else {
            guard file != nil || !Terminal.isInputInteractive else {
                throw ValidationError("There is no prompt: give it as the argument, with --file, or through a pipe.")
            }
            records = [PromptRecord(.text(try InputFile.text(file ?? "-")))]
        }
        return chat || system != nil ? records.map { $0.asChat(system: system) } : records
    }

    private func stream(_ record: PromptRecord, _ llm: LLM, _ parameters: SamplingParameters) async throws {
        let output = Terminal.output
        var speed = Speed()
        var endsLine = false
        for try await case .delta(let delta) in try llm.events(
            try record.prompt(for: llm.engine), sampling: parameters, adapter: adapter,
            requiresInvocation: requiresInvocation)
        {
            speed.add(delta.tokens.count)
            output.write(delta.text)
            if !delta.text.isEmpty { endsLine = delta.text.hasSuffix("\n") }
        }
        if !endsLine { output.write("\n") }
        if output.isInteractive, let summary = speed.summary {
            Terminal.error.write(Terminal.error.dim(summary) + "\n")
        }
    }

    private func runBatch(
        _ records: [PromptRecord], _ choice: AdapterChoice, _ parameters: SamplingParameters
    ) async throws {
        let run = BatchRun(
            records: records, choice: choice, sampling: parameters,
            adapters: adapter.map { [AdapterSelection($0)] } ?? [],
            requiresInvocation: requiresInvocation)
        let format = ResultFormat(tokenizer: choice.llm.engine.text.tokenizer)
        let output = Terminal.output
        let progress = BatchLine(total: records.count, isOutputShared: output.isInteractive)
        var failures = 0
        await run.results { index, result in
            progress.clear()
            switch result {
            case .success(let result) where json:
                output.write(
                    JSONValue.object(format.json(result, index: index, id: records[index].id)).compactText + "\n")
            case .success(let result):
                output.write(
                    ResultFormat.text(result, index: index, promptCount: records.count, terminal: output))
            case .failure(let error):
                failures += 1
                report(error, index: index, of: records, output)
            }
            progress.show(finished: index + 1)
        }
        progress.clear()
        guard failures == 0 else { throw ExitCode.failure }
    }

    private func report(_ error: any Error, index: Int, of records: [PromptRecord], _ output: Terminal) {
        if json {
            output.write(
                JSONValue.object(ResultFormat.json(error, index: index, id: records[index].id)).compactText + "\n")
        } else {
            let place = records.count > 1 ? "prompt \(index + 1): " : ""
            Terminal.error.write("Error: \(place)\(error)\n")
        }
    }
}
