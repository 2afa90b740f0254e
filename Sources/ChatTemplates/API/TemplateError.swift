/// What went wrong while a chat template was read or rendered, with the line of the template where it happened.
///
/// Every failure of a template or of its input is one of these: a request that runs into it is a bad request.
public struct TemplateError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The family of a failure.
    public enum Kind: String, Sendable {
        /// The template's text is not valid Jinja.
        case syntax
        /// The template uses a part of Jinja that this engine refuses.
        case unsupported
        /// An undefined value was used for more than printing, testing or iterating.
        case undefined
        /// An operation on values failed: wrong types, missing arguments, division by zero.
        case runtime
        /// The sandbox refused an operation.
        case security
        /// The template itself called `raise_exception`.
        case raised
        /// A limit of ``TemplateLimits`` was reached.
        case limit
        /// The messages, tools or other arguments are not what a chat template takes.
        case input
    }

    /// What is wrong, in words; for ``Kind/raised`` exactly the template's own words.
    public let message: String
    /// Line of the template, counted from 1, where known.
    public internal(set) var line: Int?
    public let kind: Kind

    public init(_ kind: Kind, _ message: String, line: Int? = nil) {
        self.kind = kind
        self.message = message
        self.line = line
    }

    public var description: String {
        if kind == .raised || kind == .input { return message }
        guard let line else { return "chat template: \(message)" }
        return "chat template, line \(line): \(message)"
    }
}
