import Adapters
import Checkpoints
import Models

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Folders of this repository, from the place of this file, and the golden folder where there is one.
enum Folders {
    private static let tests = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    static let fixtures = tests.joined(separator: "/") + "/AdaptersTests/Fixtures"
    static let demo = tests.dropLast().joined(separator: "/") + "/Sources/DemoModel"
    static let golden = ProcessInfo.processInfo.environment["MARTLET_GOLDEN"]

    static func adapter(_ name: String) -> String { fixtures + "/adapters/" + name }

    static func catalog(_ model: String = "plain") throws -> ModelCatalog {
        try ModelRegistry.catalog(folder: fixtures + "/models/" + model)
    }

    static func names(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    }

    static func json(_ path: String) throws -> JSONValue {
        let bytes = FileManager.default.contents(atPath: path) ?? Data()
        return try JSONValue(parsing: String(decoding: bytes, as: UTF8.self))
    }
}
