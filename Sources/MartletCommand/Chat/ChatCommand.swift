import ArgumentParser
import Engine

/// `martlet chat`: talk with a model in the terminal.
struct ChatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat",
        abstract: "Talk with a model in the terminal.",
        discussion: """
            Ctrl-C stops an answer, Ctrl-D leaves, /help lists the commands. Without a terminal, each line of standard \
            input is a message and standard output gets the answers.

            EXAMPLES
              martlet chat
              martlet chat ~/models/llama --system "You are brief." --temperature 0.7
              echo "Who are you?" | martlet chat
            """)

    @OptionGroup var model: ModelArguments
    @OptionGroup(title: "Sampling") var sampling: SamplingOptions
    @OptionGroup(title: "Engine") var engine: EngineOptions

    @Option(help: ArgumentHelp("System message.", valueName: "text"))
    var system: String?

    @Option(
        help: ArgumentHelp(
            "Adapter: a folder as PEFT saves it, ORG/NAME[@REVISION] in the HuggingFace cache, or one of the demo model's.",
            valueName: "adapter"))
    var adapter: String?

    func engineConfiguration() throws -> EngineConfiguration {
        var configuration = try engine.configuration(model: model.model)
        // One conversation at a time needs the cache of one sequence only.
        configuration.maxSequences = 1
        return configuration
    }

    func run() async throws {
        let llm = try await LLM.loadShowingProgress(try engineConfiguration())
        let engine = llm.engine
        guard engine.text.hasChatTemplate else {
            throw CommandError(
                "\(engine.model.root) has no chat template: name one with --chat-template FILE, or use 'martlet generate'."
            )
        }
        let parameters = sampling.parameters(over: engine.defaults)
        if let adapter { try await AdapterChoice(llm: llm, isDemo: model.model == nil).load(adapter) }
        var loop = ChatLoop(
            llm: llm, sampling: parameters, system: system, adapter: adapter, isDemo: model.model == nil)
        await loop.run()
        engine.shutdown()
    }
}
