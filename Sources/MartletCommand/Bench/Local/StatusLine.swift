/// One line on the terminal that says what goes on; nothing where standard error is not a terminal.
struct StatusLine: Sendable {
    private let terminal = Terminal.error

    func show(_ text: String) {
        if terminal.isInteractive { terminal.write("\r\u{1B}[K" + terminal.dim(text + " …")) }
    }

    func clear() {
        if terminal.isInteractive { terminal.write("\r\u{1B}[K") }
    }
}
