import ArgumentParser
import Checkpoints
import NIOHTTP1

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Which server a load goes to, and how requests are made.
struct LoadTarget: ParsableArguments {
    /// `--backend` in vLLM's spelling.
    enum Backend: String, ExpressibleByArgument, CaseIterable {
        case openai
        case vllm
        case chat = "openai-chat"
    }

    @Option(
        name: [.customLong("base-url"), .customLong("url")], help: ArgumentHelp("The running server.", valueName: "url")
    )
    var baseURL: String?

    @Option(help: ArgumentHelp("Its host, where --base-url is not given.", valueName: "host"))
    var host = "127.0.0.1"

    @Option(help: ArgumentHelp("Its port, where --base-url is not given.", valueName: "port"))
    var port = 8000

    @Option(help: "Completions (openai, or vllm), or chats (openai-chat).")
    var backend: Backend = .openai

    @Option(
        help: ArgumentHelp(
            "Path of the endpoint; the default is /v1/completions or /v1/chat/completions.", valueName: "path"))
    var endpoint: String?

    @Option(
        name: [.long, .customShort("m"), .customLong("served-model-name")],
        help: ArgumentHelp("Name of the model; the default is the first that the server lists.", valueName: "name"))
    var model: String?

    @Option(
        name: .customLong("api-key"),
        help: ArgumentHelp(
            "Key of the server; the variable OPENAI_API_KEY is another way to give it.", valueName: "key"))
    var apiKey: String?

    @Flag(
        name: .customLong("ignore-eos"), inversion: .prefixedNo,
        help: "Generate to the full length; the default is yes for random prompts and no for a file.")
    var ignoresEOS: Bool?

    @Option(help: ArgumentHelp("Temperature of sampling.", valueName: "number"))
    var temperature = 0.0

    @Option(
        name: .customLong("extra-body"),
        help: ArgumentHelp("Fields for every request: a JSON object.", valueName: "json"))
    var extraBody: String?

    @Option(
        name: .customLong("vocab-size"),
        help: ArgumentHelp("Random prompts take token ids from 10 to below this.", valueName: "count"))
    var vocabularySize = 2000

    func validate() throws {
        guard (1...65_535).contains(port) else { throw ValidationError("--port must be from 1 to 65535, got \(port).") }
        guard vocabularySize >= 1 else { throw ValidationError("--vocab-size must be at least 1.") }
        guard temperature.isFinite, temperature >= 0 else {
            throw ValidationError("--temperature must be a number from 0.")
        }
        _ = try extraFields()
    }

    var isChat: Bool { backend == .chat || endpoint?.hasSuffix("/chat/completions") == true }

    private func extraFields() throws -> JSONObject {
        guard let extraBody else { return [:] }
        guard let object = (try? JSONLineLoop.value(Array(extraBody.utf8)))?.object else {
            throw ValidationError("--extra-body: '\(extraBody)' is not a JSON object.")
        }
        return object
    }

    /// The server's address; a base URL may end with `/v1`, as OpenAI's clients have it.
    func address() throws(CommandError) -> ServerAddress {
        var text = baseURL ?? (host.contains(":") && !host.hasPrefix("[") ? "[\(host)]:\(port)" : "\(host):\(port)")
        while text.hasSuffix("/") { text.removeLast() }
        if text.hasSuffix("/v1") { text.removeLast(3) }
        return try ServerAddress(text)
    }

    /// A client for the server, which must answer.
    func client(isRandom: Bool) async throws -> LoadClient {
        let variable = ProcessInfo.processInfo.environment["OPENAI_API_KEY"]
        let key = (apiKey ?? variable).flatMap { $0.isEmpty ? nil : $0 }
        guard key?.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) ?? true else {
            throw CommandError("The key has characters that cannot be sent.")
        }
        let client = ServerClient(address: try address(), key: key)
        var fields: JSONObject = ["temperature": .double(temperature)]
        if ignoresEOS ?? isRandom { fields["ignore_eos"] = true }
        for (name, value) in try extraFields() { fields[name] = value }
        let name: String = if let model { model } else { try await firstModel(client) }
        return LoadClient(
            client: client, endpoint: endpoint ?? (isChat ? "/v1/chat/completions" : "/v1/completions"), isChat: isChat,
            model: name, fields: fields)
    }

    private func firstModel(_ client: ServerClient) async throws -> String {
        let answer: JSONValue?
        do throws(ServerFailure) { answer = try await client.send(.GET, "/v1/models") } catch {
            let advice =
                switch error.kind {
                case .unreachable:
                    "No server answers at \(client.address), or it lists no models. Is one running there? --base-url names another."
                case .forbidden:
                    "\(client.address) asks for a key: give it with --api-key, or in the variable OPENAI_API_KEY."
                default: error.description
                }
            throw CommandError(advice)
        }
        guard let name = answer?["data"]?.array?.first?["id"]?.string else {
            throw CommandError("\(client.address) lists no models; name one with --model.")
        }
        return name
    }
}
