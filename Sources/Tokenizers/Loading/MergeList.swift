import Checkpoints

/// The merges of a file, as one arena of text, until the vocabulary is there to look them up.
struct MergeList {
    private var arena: [UInt8] = []
    /// Where the left part, then the right part of each merge ends.
    private var ends: [UInt32] = []

    /// `["a b", …]` or `[["a", "b"], …]`.
    mutating func read(_ reader: inout JSONReader, path: String) throws {
        guard try reader.peek() == UInt8(ascii: "[") else { throw TokenizerError(path, "expected an array of merges") }
        try reader.beginArray()
        var isFirst = true
        var text: [UInt8] = []
        var index = 0
        while try reader.nextElement(isFirst: &isFirst) {
            switch try reader.peek() {
            case UInt8(ascii: "\""):
                try reader.string(into: &text)
                let isHeader = text.first == UInt8(ascii: "#") && text.starts(with: "#version".utf8)
                if !isHeader { try appendLine(text, place: "\(path)[\(index)]") }
            case UInt8(ascii: "["):
                try reader.beginArray()
                var isFirstPart = true
                var parts = 0
                while try reader.nextElement(isFirst: &isFirstPart) {
                    try reader.string(into: &text)
                    parts += 1
                    guard parts <= 2 else { break }
                    append(text)
                }
                guard parts == 2 else { throw TokenizerError("\(path)[\(index)]", "expected two tokens") }
            default: throw TokenizerError("\(path)[\(index)]", "expected two tokens")
            }
            guard arena.count < Int(UInt32.max) else { throw TokenizerError(path, "more than 4 GiB of text") }
            index += 1
        }
    }

    private mutating func append(_ part: some Collection<UInt8>) {
        arena.append(contentsOf: part)
        ends.append(UInt32(truncatingIfNeeded: arena.count))
    }

    private mutating func appendLine(_ line: [UInt8], place: @autoclosure () -> String) throws(TokenizerError) {
        let space = UInt8(ascii: " ")
        guard let split = line.firstIndex(of: space), !line[(split + 1)...].contains(space) else {
            throw TokenizerError(place(), "expected two tokens with one space between them")
        }
        append(line[..<split])
        append(line[(split + 1)...])
    }

    /// The ids of each merge's parts and result, in order of rank.
    func resolve(in vocabulary: Vocabulary, prefixLength: Int, path: String) throws(TokenizerError)
        -> [(left: Int32, right: Int32, merged: Int32)]
    {
        var result: [(left: Int32, right: Int32, merged: Int32)] = []
        result.reserveCapacity(ends.count / 2)
        var left = MergePart()
        var right = MergePart()
        var start = 0
        for index in 0..<ends.count / 2 {
            let middle = Int(ends[2 * index])
            let end = Int(ends[2 * index + 1])
            left.set(arena[start..<middle], form: vocabulary.form)
            right.set(arena[middle..<end], form: vocabulary.form)
            guard let leftID = left.id(in: vocabulary) else {
                throw Self.unknown(arena[start..<middle], "\(path)[\(index)]")
            }
            guard let rightID = right.id(in: vocabulary) else {
                throw Self.unknown(arena[middle..<end], "\(path)[\(index)]")
            }
            if prefixLength == 0, left.isLiteral == right.isLiteral {
                left.append(right)
            } else {
                left.set(
                    arena[start..<middle] + arena[middle..<end].dropFirst(prefixLength), form: vocabulary.form)
            }
            guard let merged = left.id(in: vocabulary) else {
                throw Self.unknown(arena[start..<end], "\(path)[\(index)]")
            }
            result.append((leftID, rightID, merged))
            start = end
        }
        return result
    }

    private static func unknown(_ token: ArraySlice<UInt8>, _ place: String) -> TokenizerError {
        let shown = String(decoding: token.prefix(80), as: UTF8.self)
        return TokenizerError(place, "the merge needs the token '\(shown)', which is not in the vocabulary")
    }
}

/// One token of a merge in the vocabulary's form, in reused memory.
private struct MergePart {
    private var bytes = [UInt8](repeating: 0, count: 64)
    private var count = 0
    private(set) var isLiteral = false

    mutating func set(_ text: ArraySlice<UInt8>, form: TextForm) {
        if form == .byteLevel {
            bytes.removeAll(keepingCapacity: true)
            isLiteral = text.withUnsafeBufferPointer { !ByteAlphabet.append(bytesSpelledBy: $0, to: &bytes) }
            if isLiteral { bytes.append(contentsOf: text) }
            count = bytes.count
            pad()
        } else {
            isLiteral = false
            bytes.removeAll(keepingCapacity: true)
            bytes.append(contentsOf: text)
            count = text.count
            pad()
        }
    }

    private mutating func pad() {
        for _ in 0..<8 { bytes.append(0) }
    }

    mutating func append(_ other: MergePart) {
        bytes.removeLast(8)
        bytes.append(contentsOf: other.bytes[..<other.count])
        count += other.count
        pad()
    }

    func id(in vocabulary: Vocabulary) -> Int32? {
        bytes.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.flatMap { vocabulary.id($0, count, isLiteral: isLiteral) }
        }
    }
}
