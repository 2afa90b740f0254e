import DemoModel
import Engine
import Foundation

/// Copies of one of the demo's adapters, told apart by their scale.
final class AdapterFolders: Sendable {
    let base = NSTemporaryDirectory() + "/martlet-adapters-\(UUID().uuidString)"

    init(_ count: Int) throws {
        let source = try DemoModelFolder.locate().adapters + "/sql"
        for number in 0..<count {
            let folder = path(number)
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                atPath: source + "/adapter_model.safetensors", toPath: folder + "/adapter_model.safetensors")
            let config = try String(contentsOfFile: source + "/adapter_config.json", encoding: .utf8)
            let changed = config.replacing(
                try Regex(#""lora_alpha": *[0-9.]+"#), with: #""lora_alpha": \#(8 + number)"#)
            try changed.write(toFile: folder + "/adapter_config.json", atomically: true, encoding: .utf8)
        }
    }

    func path(_ number: Int) -> String { base + "/\(number)" }

    /// The demo model with all of them, `a0`, `a1`, …
    func load(_ count: Int, memory: Int) async throws -> LLM {
        var configuration = EngineConfiguration()
        configuration.dtype = .float32
        configuration.maxModelLength = 256
        configuration.cacheMemory = memory
        let llm = try await LLM(configuration: configuration)
        for number in 0..<count { try await llm.adapters.load("a\(number)", path: path(number)) }
        return llm
    }

    deinit { try? FileManager.default.removeItem(atPath: base) }
}
