#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Files that commands write as a whole.
enum OutputFile {
    static func write(_ text: String, to path: String) throws {
        do { try Data(text.utf8).write(to: URL(filePath: path)) } catch {
            throw CommandError("The file '\(path)' cannot be written: does its folder exist, and may you write there?")
        }
    }
}
