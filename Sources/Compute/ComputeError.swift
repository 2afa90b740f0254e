/// What went wrong between the program and the machine it runs on.
public struct ComputeError: Error, Sendable, CustomStringConvertible {
    public let description: String

    package init(_ description: String) { self.description = description }
}
