import ArgumentParser
import Checkpoints
import Testing

@testable import MartletCommand

@Suite("Help and generated models")
struct HelpTests {
    @Test func everyCommandShowsExamples() {
        let commands = RootCommand.configuration.subcommands
        #expect(
            commands.map { $0._commandName } == [
                "serve", "chat", "generate", "doctor", "bench", "adapters", "tokenize", "render",
            ])
        for command in commands {
            let help = RootCommand.helpMessage(for: command, columns: 120)
            #expect(help.contains("EXAMPLES"), "\(command._commandName)")
            #expect(help.contains("martlet \(command._commandName)"), "\(command._commandName)")
        }
    }

    @Test(arguments: [["-h"], ["serve", "--help"]])
    func helpIsNoFailure(arguments: [String]) throws {
        let error = #expect(throws: (any Error).self) {
            var help = try RootCommand.parseAsRoot(arguments)
            try help.run()
        }
        let status = error.map { RootCommand.exitCode(for: $0) }
        #expect(status == .success)
    }

    @Test(arguments: [["fly"], ["serve", "--fly"], ["generate", "a", "b"]])
    func badUsageHasItsOwnStatus(arguments: [String]) throws {
        let error = #expect(throws: (any Error).self) { try RootCommand.parseAsRoot(arguments) }
        let status = error.map { RootCommand.exitCode(for: $0) }
        #expect(status == .validationFailure)
    }
}
