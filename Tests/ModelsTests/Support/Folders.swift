import Checkpoints

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Folders of this repository, from the place of this file.
enum Folders {
    private static let tests = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    static let repository = tests.dropLast().joined(separator: "/")
    static let fixtures = tests.joined(separator: "/") + "/ModelsTests/Fixtures"
    static let demo = repository + "/Sources/DemoModel"
    /// An independent golden set, where `MARTLET_GOLDEN` points to one.
    static let golden = ProcessInfo.processInfo.environment["MARTLET_GOLDEN"]

    static func json(_ path: String) throws -> JSONValue {
        let bytes = FileManager.default.contents(atPath: path) ?? Data()
        return try JSONValue(parsing: String(decoding: bytes, as: UTF8.self))
    }

    /// The JSON documents of a file with one in each line.
    static func jsonLines(_ path: String) throws -> [JSONValue] {
        let bytes = FileManager.default.contents(atPath: path) ?? Data()
        return try bytes.split(separator: UInt8(ascii: "\n")).map {
            try JSONValue(parsing: String(decoding: $0, as: UTF8.self))
        }
    }
}

extension JSONValue {
    var tokens: [Int32] { (array ?? []).compactMap { $0.int.map(Int32.init) } }
}
