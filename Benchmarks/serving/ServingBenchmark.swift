import ArgumentParser

/// What the prefix cache, the scheduler and adapters are worth and cost, each against the way without, in one run.
@main
struct ServingBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ServingBenchmark",
        abstract: "Measure the prefix cache, the scheduler and adapters against the ways without them.",
        subcommands: [
            OverheadCommand.self, MemoryCommand.self, BatchingCommand.self, FirstTokenCommand.self,
            ConversationCommand.self, InterferenceCommand.self, AdaptersCommand.self,
            ActivatedCommand.self, SwapCommand.self, LoadingCommand.self, PrefixesCommand.self,
            ContentionCommand.self, StepCommand.self, SamplingCommand.self, QualityCommand.self,
        ])
}
