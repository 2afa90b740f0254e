/// What a person entered in the chat.
enum ChatEntry: Equatable {
    case message(String)
    case help
    case reset
    /// Nil shows the system message.
    case system(String?)
    case undo
    /// Nil shows the adapter, "-" is none.
    case adapter(String?)
    case save(path: String)
    case exit
    case nothing
    /// Not understood; the text says what to do.
    case mistake(String)

    static let helpText = """
        /reset          forget the conversation; the system message stays
        /system TEXT    start anew with this system message (without TEXT: show it; "-": none)
        /adapter NAME   answer with this adapter (without NAME: show it; "-": none)
        /undo           take back the last question and its answer
        /save FILE      write the conversation to FILE as JSON
        /exit           leave (also Ctrl-D)
        \"\"\"             starts and ends a message of several lines; so does \\ at a line's end
        Ctrl-C          stops the answer
        A message that starts with / is written with a blank before it.
        """

    init(_ text: String) {
        guard text.hasPrefix("/") else {
            let isBlank = text.allSatisfy(\.isWhitespace)
            self = isBlank ? .nothing : .message(text)
            return
        }
        let parts = text.split(maxSplits: 1, whereSeparator: \.isWhitespace)
        let argument = parts.count > 1 ? Self.trimmed(parts[1]) : ""
        switch parts[0] {
        case "/help", "/?": self = .help
        case "/reset", "/clear": self = .reset
        case "/system": self = .system(argument.isEmpty ? nil : argument)
        case "/undo": self = .undo
        case "/adapter": self = .adapter(argument.isEmpty ? nil : argument)
        case "/save": self = argument.isEmpty ? .mistake("/save needs the name of a file.") : .save(path: argument)
        case "/exit", "/quit", "/bye": self = .exit
        default: self = .mistake("There is no command \(parts[0]); /help lists them.")
        }
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text.drop(while: \.isWhitespace)
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
