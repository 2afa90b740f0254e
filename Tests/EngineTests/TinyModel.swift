import Engine
import Foundation

/// A model of `Tools/adapters` with a tokenizer of words, in a folder that lives as long as this object.
final class TinyModel {
    let folder: String
    static let vocabularySize = 32
    private static let fixtures =
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/")
        + "/AdaptersTests/Fixtures"

    init(_ name: String) throws {
        folder = FileManager.default.temporaryDirectory.path + "/martlet-tiny-\(UUID().uuidString)"
        try FileManager.default.copyItem(atPath: Self.fixtures + "/models/" + name, toPath: folder)
        let words = (0..<Self.vocabularySize).map { "\"t\($0)\":\($0)" }.joined(separator: ",")
        let tokenizer =
            #"{"version":"1.0","added_tokens":[],"pre_tokenizer":{"type":"WhitespaceSplit"},"#
            + #""model":{"type":"WordLevel","unk_token":"t0","vocab":{"# + words + "}}}"
        try tokenizer.write(toFile: folder + "/tokenizer.json", atomically: true, encoding: .utf8)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    static func adapter(_ name: String) -> String { fixtures + "/adapters/" + name }

    /// The model with some of its adapters.
    func load(_ adapters: [String], _ change: (inout EngineConfiguration) -> Void = { _ in }) async throws -> LLM {
        var configuration = EngineConfiguration(model: folder)
        configuration.dtype = .float32
        configuration.cacheMemory = 8 << 20
        configuration.threads = 2
        change(&configuration)
        let llm = try await LLM(configuration: configuration)
        for name in adapters { try await llm.adapters.load(name, path: Self.adapter(name)) }
        return llm
    }
}
