import ArgumentParser

/// `martlet adapters`: what concerns adapters rather than models.
struct AdaptersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adapters",
        abstract: "Look at adapters: what they change, and whether they fit a model.",
        discussion: """
            An adapter is a folder as PEFT saves it, with adapter_config.json and adapter_model.safetensors.

            EXAMPLES
              martlet adapters inspect ~/adapters/sql --model ~/models/llama
            """,
        subcommands: [InspectAdapterCommand.self])
}
