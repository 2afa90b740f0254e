import ArgumentParser

/// What the prefix cache and the scheduler are worth, each against the usual way without it, in one run.
@main
struct ServingBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ServingBenchmark",
        abstract: "Measure the prefix cache and the scheduler against the ways without them.",
        subcommands: [
            OverheadCommand.self, MemoryCommand.self, BatchingCommand.self, FirstTokenCommand.self,
            ConversationCommand.self, InterferenceCommand.self, AdaptersCommand.self,
        ])
}
