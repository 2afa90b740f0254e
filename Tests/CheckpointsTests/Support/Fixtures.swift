import Checkpoints
import Testing

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Files that `Tools/checkpoints/make_fixtures.py` wrote.
enum Fixtures {
    static let folder = String(#filePath.dropLast("Support/Fixtures.swift".count)) + "Fixtures"

    static func json(_ name: String) throws -> JSONValue { try Self.json(path: folder + "/" + name) }

    static func json(path: String) throws -> JSONValue {
        try [UInt8](Data(contentsOf: URL(filePath: path))).withUnsafeBufferPointer { try JSONValue(parsing: $0) }
    }

    /// The bytes that `digits` stand for.
    static func bytes(hex digits: String) throws -> [UInt8] {
        let digits = Array(digits.utf8)
        return try stride(from: 0, to: digits.count, by: 2).map { position in
            try #require(UInt8(String(decoding: digits[position..<position + 2], as: UTF8.self), radix: 16))
        }
    }
}

/// A folder for the files of one test; it goes when the value does.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/martlet-tests-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file and returns its path; folders on the way are made.
    @discardableResult
    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let file = path + "/" + name
        let parent = String(file[..<(file.lastIndex(of: "/") ?? file.endIndex)])
        try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(filePath: file))
        return file
    }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String { try write(name, Array(text.utf8)) }
}

/// A safetensors file made of a header text and a number of data bytes.
func safetensors(_ header: String, dataCount: Int, lengthField: UInt64? = nil) -> [UInt8] {
    var file: [UInt8] = []
    let length = lengthField ?? UInt64(header.utf8.count)
    for shift in stride(from: UInt64(0), to: 64, by: 8) { file.append(UInt8(truncatingIfNeeded: length >> shift)) }
    file += Array(header.utf8)
    file += (0..<dataCount).map { UInt8(truncatingIfNeeded: $0) }
    return file
}

/// The message of the `CheckpointError` that `body` throws.
func message(_ body: () throws -> some Any) -> String? {
    let error = #expect(throws: CheckpointError.self) { _ = try body() }
    return error?.description
}
