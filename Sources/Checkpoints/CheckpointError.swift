/// What is wrong with a file of a checkpoint: the file, the part of it, what was expected and found, and what to do.
///
/// Names that come from the file itself are shown shortened and with control characters escaped.
public struct CheckpointError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Kind: Sendable, Equatable {
        /// A file, folder, tensor or field is not there.
        case missing
        /// The operating system refused to open, read or map a file.
        case unreadable
        /// The file breaks the rules of its own format.
        case malformed
        /// The file is well-formed but does not hold what the model needs (shape, dtype, range of a value).
        case mismatch
        /// The file is fine but uses something that Martlet does not read.
        case unsupported
    }

    public let kind: Kind
    /// Path of the file or folder, as it was given.
    public let file: String
    /// The tensor (`tensor 'x'`) or field (`field 'x'`) concerned.
    public let subject: String?
    /// What was expected and what was found.
    public let problem: String
    /// What the user can do about it.
    public let advice: String?

    public init(_ kind: Kind, file: String, subject: String? = nil, _ problem: String, advice: String? = nil) {
        self.kind = kind
        self.file = file
        self.subject = subject
        self.problem = problem
        self.advice = advice
    }

    public var description: String {
        var text = file
        if let subject { text += ": " + subject }
        text += ": " + problem
        if let advice { text += " (" + advice + ")" }
        return text
    }
}

extension CheckpointError {
    /// `name` in single quotes, at most 80 characters of it, control and quote characters escaped.
    package static func quoted(_ name: String) -> String {
        var text = "'"
        var count = 0
        for scalar in name.unicodeScalars {
            guard count < 80 else {
                text += "…"
                break
            }
            text +=
                scalar.value < 0x20 || scalar.value == 0x7F || scalar == "'"
                ? scalar.escaped(asASCII: false) : String(scalar)
            count += 1
        }
        return text + "'"
    }

    static func tensor(
        _ name: String, in file: String, _ kind: Kind, _ problem: String, advice: String? = nil
    ) -> CheckpointError {
        CheckpointError(kind, file: file, subject: "tensor \(quoted(name))", problem, advice: advice)
    }

    static func json(_ error: JSONError, in file: String) -> CheckpointError {
        CheckpointError(.malformed, file: file, error.description, advice: "the file is damaged: download it again")
    }
}
