#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Lines of a stream as soon as they are complete, without waiting for more than one.
///
/// O(length) for a line; the buffer grows to the longest line.
final class LineReader {
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    /// Start of what was not handed out yet.
    private var start = 0
    private var chunk = [UInt8](repeating: 0, count: 1 << 16)

    init(descriptor: Int32 = STDIN_FILENO) { self.descriptor = descriptor }

    /// The next line without its end (`\n` or `\r\n`); nil at the end of the stream.
    func next() -> [UInt8]? {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = end + 1 }
                return Array(buffer[start..<end].dropLast(where: { $0 == UInt8(ascii: "\r") }))
            }
            searched = buffer.count - start
            buffer.removeFirst(start)
            start = 0
            guard fill() else {
                defer { buffer = [] }
                return buffer.isEmpty ? nil : buffer
            }
        }
    }

    /// The next line as text, ill-formed bytes replaced.
    func nextText() -> String? { next().map { String(decoding: $0, as: UTF8.self) } }

    /// Everything up to the end of the stream.
    func rest() -> [UInt8] {
        while fill() {}
        defer {
            buffer = []
            start = 0
        }
        return Array(buffer[start...])
    }

    private func fill() -> Bool {
        while true {
            let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            buffer += chunk[..<count]
            return true
        }
    }
}

extension Array<UInt8>.SubSequence {
    /// Without its last byte where that satisfies `condition`.
    fileprivate func dropLast(where condition: (UInt8) -> Bool) -> Self {
        last.map(condition) == true ? dropLast() : self
    }
}
