import Engine
import Foundation

/// The tiny model of `Tools/adapters` with a tokenizer of words, and some of its adapters.
struct TinyEngine {
    static let vocabularySize = 32

    static func load(_ adapters: [String]) async throws -> InferenceEngine {
        let fixtures =
            #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/")
            + "/AdaptersTests/Fixtures"
        let folder = FileManager.default.temporaryDirectory.path + "/martlet-tiny-\(UUID().uuidString)"
        try FileManager.default.copyItem(atPath: fixtures + "/models/plain", toPath: folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let words = (0..<vocabularySize).map { "\"t\($0)\":\($0)" }.joined(separator: ",")
        let tokenizer =
            #"{"version":"1.0","added_tokens":[],"pre_tokenizer":{"type":"WhitespaceSplit"},"#
            + #""model":{"type":"WordLevel","unk_token":"t0","vocab":{"# + words + "}}}"
        try tokenizer.write(toFile: folder + "/tokenizer.json", atomically: true, encoding: .utf8)
        var configuration = EngineConfiguration(model: folder)
        configuration.servedModelNames = ["tiny"]
        configuration.dtype = .float32
        configuration.cacheMemory = 8 << 20
        configuration.threads = 2
        configuration.chatTemplate = "{% for message in messages %}{{ message.content }} {% endfor %}"
        let engine = try await InferenceEngine.load(configuration)
        for name in adapters { try await engine.adapters.load(name, path: fixtures + "/adapters/" + name) }
        return engine
    }
}
