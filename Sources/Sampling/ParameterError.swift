/// A request parameter that cannot be used, with the name under which clients send it.
public struct ParameterError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The parameter's name on the wire, for example `top_p`.
    public let parameter: String
    /// What was found and what is accepted.
    public let message: String

    public init(_ parameter: String, _ message: String) {
        self.parameter = parameter
        self.message = message
    }

    public var description: String { message }
}
