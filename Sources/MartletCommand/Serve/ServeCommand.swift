import ArgumentParser
import DemoModel
import Engine
import Logging
import Server
import ServiceLifecycle
import UnixSignals

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// `martlet serve`: the OpenAI API over HTTP.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve a model over the OpenAI API.",
        discussion: """
            Flags are spelled as in 'vllm serve' where vLLM has the thing. When the server is ready, one line on \
            standard output tells its address; logs go to standard error. SIGTERM or Ctrl-C stops taking requests and \
            lets the running ones finish, up to --shutdown-timeout.

            EXAMPLES
              martlet serve
              martlet serve ~/models/llama --port 8080 --api-key "$KEY" --max-model-len 8k
              martlet serve org/model --served-model-name chat --cache-memory 4GiB
              martlet serve ~/models/llama --adapter sql=~/adapters/sql --adapters ~/adapters
            """)

    @OptionGroup var model: ModelArguments
    @OptionGroup(title: "Server") var server: ServerOptions

    @Option(
        name: .customLong("served-model-name"), parsing: .upToNextOption,
        help: ArgumentHelp("Names that requests may use; responses carry the first.", valueName: "name"))
    var servedModelNames: [String] = []

    @Option(
        name: .customLong("max-num-queued-reqs"),
        help: ArgumentHelp("Requests that may wait; one more is answered with 503.", valueName: "count"))
    var maxQueuedRequests = EngineConfiguration().maxQueuedRequests

    @Option(help: ArgumentHelp("Seeds requests without a seed of their own.", valueName: "number"))
    var seed: UInt64?

    @Option(name: .customLong("log-level"), help: "What is logged on standard error.")
    var logLevel = LogLevelArgument.info

    @OptionGroup(title: "Engine") var engine: EngineOptions
    @OptionGroup(title: "Steps") var batch: BatchOptions
    @OptionGroup(title: "Order") var policy: PolicyOptions
    @OptionGroup(title: "Adapters") var adapters: AdapterOptions

    func engineConfiguration() throws -> EngineConfiguration {
        var configuration = try engine.configuration(model: model.model)
        batch.apply(to: &configuration)
        policy.apply(to: &configuration)
        configuration.servedModelNames = servedModelNames
        configuration.maxQueuedRequests = maxQueuedRequests
        configuration.seed = seed
        return configuration
    }

    func run() async throws {
        let engineConfiguration = try engineConfiguration()
        var serverConfiguration = try server.configuration(
            environmentKeys: ProcessInfo.processInfo.environment["MARTLET_API_KEY"])
        // The demo model brings adapters of its own.
        if model.model == nil, serverConfiguration.adapterLibrary == nil {
            serverConfiguration.adapterLibrary = try? DemoModelFolder.locate().adapters
        }
        let level = logLevel.level
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
        let engine = try await LLM.loadShowingProgress(engineConfiguration).engine
        try await adapters.load(into: engine)
        let notice = ReadyNotice(
            model: engine.model, hasChatTemplate: engine.text.hasChatTemplate, host: serverConfiguration.host,
            needsKey: !serverConfiguration.apiKeys.isEmpty)
        let server = MartletServer(
            engine: engine, configuration: serverConfiguration, logger: Logger(label: "martlet")
        ) { port in
            Terminal.output.write(notice.text(port: port, terminal: .output))
        }
        try await run(server)
        engine.shutdown()
    }

    private func run(_ server: MartletServer) async throws {
        var logger = Logger(label: "martlet.lifecycle")
        logger.logLevel = .error
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [.init(service: server, successTerminationBehavior: .gracefullyShutdownGroup)],
                gracefulShutdownSignals: [.sigterm, .sigint], cancellationSignals: [], logger: logger))
        do { try await group.run() } catch { throw ServeError(error, host: self.server.host, port: self.server.port) }
    }
}

/// `--log-level`.
enum LogLevelArgument: String, ExpressibleByArgument, CaseIterable {
    case debug
    case info
    case warning
    case error
    case off

    var level: Logger.Level {
        switch self {
        case .debug: .debug
        case .info: .info
        case .warning: .warning
        case .error: .error
        case .off: .critical
        }
    }
}

/// Why the server could not run, and what to do about it.
struct ServeError: Error, CustomStringConvertible {
    let description: String

    init(_ error: any Error, host: String, port: Int) {
        let cause = "\(error)"
        description =
            cause.contains("in use")
            ? "Port \(port) is in use on \(host); choose another with --port (0 takes a free one)."
            : "The server cannot run on \(host):\(port): \(cause)"
    }
}
