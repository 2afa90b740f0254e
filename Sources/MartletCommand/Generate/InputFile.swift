import Checkpoints

/// Files that commands read as a whole; `-` is standard input.
enum InputFile {
    static func bytes(_ path: String) throws -> [UInt8] {
        if path == "-" { return LineReader().rest() }
        let file = try MappedFile(path: path)
        return Array(file.bytes)
    }

    /// UTF-8 text, without one line break at its end, which editors and shells add.
    static func text(_ path: String) throws -> String {
        var bytes = try bytes(path)
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CommandError("\(path == "-" ? "standard input" : path) is not UTF-8 text.")
        }
        return text
    }
}
