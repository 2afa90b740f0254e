import ArgumentParser
import Checkpoints
import NIOHTTP1

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Which running server a command is for, and how it answers.
struct RemoteOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The running server.", valueName: "url"))
    var url = ServerAddress.standard

    @Option(
        name: .customLong("api-key"),
        help: ArgumentHelp(
            "Key of the server, an admin's for changes; the variable MARTLET_ADMIN_KEY is another way to give it.",
            valueName: "key"))
    var apiKey: String?

    @Flag(help: "Write JSON.")
    var json = false

    func client() throws(CommandError) -> ServerClient {
        let variable = ProcessInfo.processInfo.environment["MARTLET_ADMIN_KEY"]
        let key = (apiKey ?? variable).flatMap { $0.isEmpty ? nil : $0 }
        guard key?.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) ?? true else {
            throw CommandError("The key has characters that cannot be sent.")
        }
        return ServerClient(address: try ServerAddress(url), key: key)
    }

    /// Asks the server and writes what `text` makes of the answer, or the answer itself with `--json`.
    func run(
        _ method: HTTPMethod, _ path: String, _ body: JSONValue? = nil, text: (JSONValue) -> String
    ) async throws {
        try await run(method, path, body, select: { $0 }, text: text)
    }

    /// - Parameter select: the part of the answer that is shown.
    func run(
        _ method: HTTPMethod, _ path: String, _ body: JSONValue? = nil, select: (JSONValue) -> JSONValue,
        text: (JSONValue) -> String
    ) async throws {
        let client = try client()
        do throws(ServerFailure) {
            let answer = select(try await client.send(method, path, body) ?? .object([:]))
            Terminal.output.write(json ? answer.compactText + "\n" : text(answer))
        } catch {
            throw error.report()
        }
    }
}
