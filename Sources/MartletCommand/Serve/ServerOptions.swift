import ArgumentParser
import Checkpoints
import Server

/// Where the server listens and what it accepts; spelled as in vLLM where vLLM has the thing.
struct ServerOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Address to listen on.", valueName: "address"))
    var host = ServerConfiguration().host

    @Option(help: ArgumentHelp("Port to listen on; 0 takes a free one.", valueName: "port"))
    var port = ServerConfiguration().port

    @Option(
        name: .customLong("api-key"), parsing: .upToNextOption,
        help: ArgumentHelp(
            "Key that requests must carry; several may be given. The variable MARTLET_API_KEY adds to them (separated by commas).",
            valueName: "key"))
    var apiKeys: [String] = []

    @Option(
        name: .customLong("admin-key"),
        help: ArgumentHelp(
            "Key that may also load and unload adapters and reset the prefix cache; with --api-key and without this nobody may.",
            valueName: "key"))
    var adminKeys: [String] = []

    @Option(
        name: .customLong("adapters"),
        help: ArgumentHelp(
            "Folder in which every folder is an adapter of its name, loaded when it is first asked for.",
            valueName: "folder"))
    var adapterLibrary: String?

    @Option(
        name: .customLong("adapter-root"),
        help: ArgumentHelp(
            "Folder in which adapters must lie that requests load by path. May be given several times.",
            valueName: "folder"))
    var adapterRoots: [String] = []

    @Flag(
        name: .customLong("enable-prompt-embeds"),
        help:
            "Accept input embeddings instead of prompts in completions (`prompt_embeds`, a safetensors file in base64)."
    )
    var acceptsPromptEmbeddings = false

    @Flag(
        name: .customLong("strict-invocation"),
        help:
            "Refuse prompts that do not invoke the Activated LoRA they are for, instead of answering with the base model."
    )
    var requiresInvocation = false

    @Option(
        name: .customLong("allowed-origins"), parsing: .upToNextOption,
        help: ArgumentHelp("Origins whose web pages may use the server (default: *).", valueName: "origin"))
    var allowedOrigins: [String] = []

    @Option(
        name: .customLong("max-body-size"), help: ArgumentHelp("Largest request body.", valueName: "size"))
    var maxBodySize = ByteCount(bytes: ServerConfiguration().maxBodyBytes)

    @Option(
        name: .customLong("request-timeout"),
        help: ArgumentHelp("Longest time for one request; the default is none.", valueName: "seconds"))
    var requestTimeout: Double?

    @Option(
        name: .customLong("shutdown-timeout"),
        help: ArgumentHelp("Time that running requests get after SIGTERM or Ctrl-C.", valueName: "seconds"))
    var shutdownTimeout: Double = 30

    @Flag(name: .customLong("trust-request-chat-template"), help: "Let requests bring a chat template of their own.")
    var trustsRequestChatTemplate = false

    @Flag(
        name: .customLong("return-tokens-as-token-ids"),
        help: "Write tokens in logprobs as token_id:N for every request.")
    var returnsTokensAsTokenIDs = false

    @Flag(name: .customLong("disable-request-log"), help: "Log no line for each request.")
    var disablesRequestLog = false

    func validate() throws {
        guard (0...65_535).contains(port) else { throw ValidationError("--port must be from 0 to 65535, got \(port).") }
        for folder in adapterRoots + [adapterLibrary].compactMap(\.self) where MappedFile.isFolder(folder) != true {
            throw ValidationError("The folder '\(folder)' for adapters does not exist.")
        }
        try check(requestTimeout, "--request-timeout", above: true)
        try check(shutdownTimeout, "--shutdown-timeout", above: false)
        guard maxBodySize.bytes >= 1024 else { throw ValidationError("--max-body-size must be at least 1KiB.") }
    }

    private func check(_ seconds: Double?, _ flag: String, above: Bool) throws {
        guard let seconds else { return }
        guard seconds.isFinite, seconds >= 0, seconds > 0 || !above, seconds <= 1e8 else {
            throw ValidationError("\(flag) must be a number of seconds \(above ? "above" : "from") 0, got \(seconds).")
        }
    }

    /// - Parameter environmentKeys: the value of `MARTLET_API_KEY`.
    func configuration(environmentKeys: String?) throws -> ServerConfiguration {
        var configuration = ServerConfiguration()
        configuration.host = host
        configuration.port = port
        configuration.apiKeys = try keys(environmentKeys)
        guard adminKeys.allSatisfy({ !$0.isEmpty }) else { throw ValidationError("--admin-key must not be empty.") }
        configuration.adminKeys = adminKeys
        configuration.adapterLibrary = adapterLibrary
        configuration.adapterRoots = adapterRoots
        configuration.requiresInvocation = requiresInvocation
        configuration.acceptsPromptEmbeddings = acceptsPromptEmbeddings
        if !allowedOrigins.isEmpty { configuration.allowedOrigins = try Self.list(allowedOrigins) }
        configuration.maxBodyBytes = maxBodySize.bytes
        configuration.requestTimeout = requestTimeout.map { .seconds($0) }
        configuration.shutdownTimeout = .seconds(shutdownTimeout)
        configuration.trustsRequestChatTemplates = trustsRequestChatTemplate
        configuration.returnsTokensAsTokenIDs = returnsTokensAsTokenIDs
        configuration.logsRequests = !disablesRequestLog
        return configuration
    }

    private func keys(_ environmentKeys: String?) throws -> [String] {
        // A key that came out empty (an unset variable in a script) must not leave the server open.
        guard apiKeys.allSatisfy({ !$0.isEmpty }) else { throw ValidationError("--api-key must not be empty.") }
        return apiKeys + (environmentKeys ?? "").split(separator: ",").map(String.init)
    }

    /// Values one by one, or vLLM's way: a JSON list in one value.
    private static func list(_ values: [String]) throws -> [String] {
        guard values.count == 1, let text = values.first, text.hasPrefix("[") else { return values }
        let value = try? JSONLineLoop.value(Array(text.utf8))
        guard let items = value?.array, items.allSatisfy({ $0.string != nil }) else {
            throw ValidationError("--allowed-origins: \(text) is not a JSON list of strings.")
        }
        return items.compactMap(\.string)
    }
}
