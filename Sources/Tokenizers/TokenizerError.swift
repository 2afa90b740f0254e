/// Why a tokenizer cannot be built: the place in the file, what is wrong, and what was expected.
public struct TokenizerError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Path of the offending field, e.g. `tokenizer.json: pre_tokenizer.pretokenizers[1].type`.
    public let field: String
    /// What is wrong, in words.
    public let message: String

    public init(_ field: String, _ message: String) {
        self.field = field
        self.message = message
    }

    public var description: String { "\(field): \(message)" }
}
