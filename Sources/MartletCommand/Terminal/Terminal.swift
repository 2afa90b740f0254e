#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// One of the program's output streams: unbuffered, with colours only where a person looks at them.
struct Terminal: Sendable {
    let descriptor: Int32
    /// Whether a terminal is at the other end.
    let isInteractive: Bool
    /// Whether escape sequences may be written: an interactive terminal that is not `dumb`, without `NO_COLOR`.
    let hasColours: Bool

    static let output = Terminal(descriptor: STDOUT_FILENO)
    static let error = Terminal(descriptor: STDERR_FILENO)

    init(descriptor: Int32) {
        let isInteractive = isatty(descriptor) == 1
        self.init(
            descriptor: descriptor, isInteractive: isInteractive, noColour: Self.variable("NO_COLOR"),
            kind: Self.variable("TERM"))
    }

    /// - Parameters:
    ///   - noColour: the variable `NO_COLOR`; anything but the empty string turns colours off (no-color.org).
    ///   - kind: the variable `TERM`.
    init(descriptor: Int32, isInteractive: Bool, noColour: String?, kind: String?) {
        self.descriptor = descriptor
        self.isInteractive = isInteractive
        hasColours = isInteractive && (noColour ?? "").isEmpty && kind != "dumb"
    }

    private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// Whether standard input is a terminal.
    static var isInputInteractive: Bool { isatty(STDIN_FILENO) == 1 }

    /// Writes all of `text` at once; what cannot be written (a closed pipe) is dropped.
    func write(_ text: String) {
        var text = text
        text.withUTF8 { write(UnsafeRawBufferPointer($0)) }
    }

    func write(_ bytes: [UInt8]) { bytes.withUnsafeBytes(write) }

    private func write(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes[...]
        while let start = UnsafeRawBufferPointer(rebasing: rest).baseAddress, !rest.isEmpty {
            #if canImport(Glibc)
            let count = Glibc.write(descriptor, start, rest.count)
            #elseif canImport(Musl)
            let count = Musl.write(descriptor, start, rest.count)
            #else
            let count = Darwin.write(descriptor, start, rest.count)
            #endif
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    // MARK: Styles

    func dim(_ text: String) -> String { styled(text, "2") }
    func bold(_ text: String) -> String { styled(text, "1") }
    func red(_ text: String) -> String { styled(text, "31") }
    func green(_ text: String) -> String { styled(text, "32") }

    private func styled(_ text: String, _ code: String) -> String {
        hasColours ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}
