import Engine
import Logging
import OpenAIProtocol
import Tokenizers

extension InferenceEngine: EngineService {
    package var hasChatTemplate: Bool { text.hasChatTemplate }

    package func encode(_ text: String, addSpecialTokens: Bool) -> [Int32] {
        self.text.encode(text, addSpecialTokens: addSpecialTokens)
    }

    package func decode(_ tokens: [Int32], skipSpecialTokens: Bool) -> String {
        text.tokenizer.decode(tokens, skipSpecialTokens: skipSpecialTokens)
    }

    package func piece(_ token: Int32) -> String? { text.tokenizer.piece(token) }
    package func bytes(of token: Int32) -> [UInt8]? { text.tokenizer.bytes(of: token) }
    package func isSpecial(_ token: Int32) -> Bool { text.tokenizer.isSpecial(token) }

    package var loadedAdapters: [AdapterInformation] { adapters.all }

    package func loadAdapter(_ name: String, path: String, replacing: Bool) async throws -> AdapterInformation {
        try await adapters.load(name, path: path, replacing: replacing)
    }

    package func reloadAdapter(_ name: String) async throws -> AdapterInformation { try await adapters.reload(name) }

    package func unloadAdapter(_ name: String) throws(EngineError) { try adapters.unload(name) }
    package func isLoaded(_ adapter: String) -> Bool { adapters.contains(adapter) }

    package func prepareAdapters(_ names: [String]) async throws -> AdapterLease? { try await adapters.prepare(names) }

    package func pinAdapter(_ name: String, _ isPinned: Bool) throws(EngineError) { try adapters.pin(name, isPinned) }

    package func renderChat(_ chat: ChatInput) throws(EngineError) -> String {
        try text.renderChat(
            messages: chat.messages, tools: chat.tools, documents: chat.documents,
            addGenerationPrompt: chat.addGenerationPrompt, continueFinalMessage: chat.continueFinalMessage,
            kwargs: chat.kwargs, template: chat.template)
    }
}

extension MartletServer {
    /// - Parameter onRunning: called with the bound port as soon as connections are accepted.
    public init(
        engine: InferenceEngine, configuration: ServerConfiguration, logger: Logger,
        onRunning: @escaping @Sendable (_ port: Int) -> Void = { _ in }
    ) {
        self.init(service: engine, configuration: configuration, logger: logger, onRunning: onRunning)
    }
}
