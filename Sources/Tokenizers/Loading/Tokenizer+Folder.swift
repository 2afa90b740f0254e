import Checkpoints

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

extension Tokenizer {
    /// Reads `tokenizer.json`, and `tokenizer_config.json` if it is there, from a model's folder.
    public convenience init(folder: String) throws {
        let path = folder + "/" + TokenizerFile.name
        guard let data = FileManager.default.contents(atPath: path) else {
            throw TokenizerError(path, "the file is missing or cannot be read")
        }
        let configPath = folder + "/tokenizer_config.json"
        var config: JSONValue?
        if let text = FileManager.default.contents(atPath: configPath) {
            do {
                config = try [UInt8](text).withUnsafeBufferPointer { bytes throws(JSONError) in
                    try JSONValue(parsing: bytes)
                }
            } catch {
                throw TokenizerError(configPath, error.description)
            }
        }
        try self.init(tokenizerJSON: [UInt8](data), config: config)
    }
}
