import ArgumentParser

/// `martlet bench`: how fast a model runs here, or a server answers.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure speed: of one batch, of many prompts, of a running server.",
        discussion: """
            Without a subcommand: an overview of a model's speed here, prefill and decode in several batches.

            EXAMPLES
              martlet bench
              martlet bench ~/models/llama --batch 1 8 32
              martlet bench latency ~/models/llama --batch-size 1 --input-len 512 --output-len 64
              martlet bench throughput --shape 135m --num-prompts 64 --input-len 128 --output-len 128
              martlet bench serve --base-url http://10.0.0.7:8000 --request-rate 4 --goodput ttft:500 tpot:50
            """,
        subcommands: [OverviewCommand.self, LatencyCommand.self, ThroughputCommand.self, BenchServeCommand.self],
        defaultSubcommand: OverviewCommand.self)
}
