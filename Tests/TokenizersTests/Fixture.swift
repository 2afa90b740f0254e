import Checkpoints
import Foundation

@testable import Tokenizers

/// The files beside the tests, written by Tools/tokenizers/generate.py.
enum Fixture {
    static let folder = (#filePath as NSString).deletingLastPathComponent + "/Fixtures"

    static let tokenizers: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return files.filter { $0.hasSuffix(".tokenizer.json") }.map { String($0.dropLast(15)) }.sorted()
    }()

    /// Folders with real vocabularies and the reference's answers, where a machine has them.
    static let vectorFolders: [String] = {
        guard let data = ProcessInfo.processInfo.environment["MARTLET_DATA"] else { return [] }
        let root = data + "/tokenizers"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        return names.sorted().map { root + "/" + $0 }
    }()

    static func bytes(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    }

    static func json(_ path: String) throws -> JSONValue {
        try bytes(path).withUnsafeBufferPointer { try JSONValue(parsing: $0) }
    }

    static func array(_ name: String) throws -> [JSONValue] { try json(folder + "/" + name).array ?? [] }

    static func tokenizer(_ name: String) throws -> Tokenizer {
        try Tokenizer(tokenizerJSON: bytes(folder + "/" + name + ".tokenizer.json"))
    }
}

extension JSONValue {
    var ids: [Int32]? { array?.compactMap { $0.int.map(Int32.init) } }
    var strings: [String] { array?.compactMap(\.string) ?? [] }
}
