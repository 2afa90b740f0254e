/// Puts lines together to messages: a `\` at the end of a line goes on, `"""` starts and ends a block.
struct MessageAssembler {
    private static let fence = "\"\"\""
    private var lines: [String] = []
    private var isInBlock = false

    /// Whether more lines belong to the message.
    var isIncomplete: Bool { isInBlock || !lines.isEmpty }

    /// Takes a line; returns the message when it is complete.
    mutating func append(_ line: String) -> String? {
        if isInBlock { return appendToBlock(line) }
        if lines.isEmpty, line.hasPrefix(Self.fence) {
            isInBlock = true
            let first = String(line.dropFirst(3))
            return first.isEmpty ? nil : appendToBlock(first)
        }
        if line.hasSuffix("\\") {
            lines.append(String(line.dropLast()))
            return nil
        }
        lines.append(line)
        return finish()
    }

    private mutating func appendToBlock(_ line: String) -> String? {
        guard line.hasSuffix(Self.fence) else {
            lines.append(line)
            return nil
        }
        let last = String(line.dropLast(3))
        if !last.isEmpty { lines.append(last) }
        return finish()
    }

    /// What was entered so far, as a message; the assembler is empty afterwards.
    mutating func finish() -> String {
        defer { self = MessageAssembler() }
        return lines.joined(separator: "\n")
    }
}
