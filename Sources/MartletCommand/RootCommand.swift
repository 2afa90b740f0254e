import ArgumentParser
import Server

/// `martlet`: the program.
@main
struct RootCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "martlet",
        abstract: "An LLM inference engine: serve a model, talk with it, measure it.",
        discussion: """
            MODEL is a folder with a HuggingFace checkpoint, or a name ORG/NAME[@REVISION] that is looked up in the \
            HuggingFace cache on this machine; nothing is ever downloaded. Without a model every command uses the \
            small demo model that comes with the program.

            EXAMPLES
              martlet serve                      the demo model over the OpenAI API
              martlet serve ~/models/llama --port 8080
              martlet chat
              martlet generate --chat "Who are you?"
              martlet doctor ~/models/llama      does it fit this machine?
            """,
        version: "Martlet \(ServerVersion.current)",
        subcommands: [
            ServeCommand.self, ChatCommand.self, GenerateCommand.self, DoctorCommand.self, BenchCommand.self,
            AdaptersCommand.self, TokenizeCommand.self, RenderCommand.self,
        ])
}
