import Checkpoints

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// An adapter's folder that lives as long as a test needs it, made from a fixture or from nothing.
final class TemporaryAdapter {
    let folder: String
    private static let config = "adapter_config.json"
    private static let weights = "adapter_model.safetensors"

    /// A copy of the fixture `name`.
    init(_ name: String) throws {
        folder = FileManager.default.temporaryDirectory.path + "/martlet-adapter-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for file in [Self.config, Self.weights] {
            try FileManager.default.copyItem(atPath: Folders.adapter(name) + "/" + file, toPath: folder + "/" + file)
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Writes `value` at `field` of the configuration; nil removes it.
    func set(_ field: String, _ value: JSONValue?) throws {
        guard var object = try Folders.json(folder + "/" + Self.config).object else { return }
        object[field] = value
        try write(Data(JSONValue.object(object).compactText.utf8), Self.config)
    }

    /// Changes the configuration's text.
    func replace(_ text: String, with other: String) throws {
        let old = String(decoding: try bytes(Self.config), as: UTF8.self)
        try write(Data(old.replacing(text, with: other).utf8), Self.config)
    }

    /// Writes the members of the configuration in reverse order.
    func reverseConfiguration() throws {
        guard let object = try Folders.json(folder + "/" + Self.config).object else { return }
        let reversed = JSONObject(object.reversed().map { ($0.key, $0.value) })
        try write(Data(JSONValue.object(reversed).compactText.utf8), Self.config)
    }

    /// Changes the bytes of the weights' file.
    func changeWeights(_ body: (inout [UInt8]) -> Void) throws {
        var data = Array(try bytes(Self.weights))
        body(&data)
        try write(Data(data), Self.weights)
    }

    /// Replaces a piece of the header of the weights' file by one of the same length.
    func changeHeader(_ text: String, _ other: String) throws {
        try changeWeights { data in
            if let range = data.firstRange(of: Array(text.utf8)) { data.replaceSubrange(range, with: other.utf8) }
        }
    }

    private func bytes(_ file: String) throws -> Data {
        try Data(contentsOf: URL(filePath: folder + "/" + file))
    }

    /// By renaming a new file into place: the old one may be mapped.
    private func write(_ data: Data, _ file: String) throws {
        try data.write(to: URL(filePath: folder + "/" + file), options: .atomic)
    }
}
