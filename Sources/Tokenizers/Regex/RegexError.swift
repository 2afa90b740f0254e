/// What a pattern cannot have, and where.
struct RegexError: Error, Equatable {
    let message: String
    let position: Int

    init(_ message: String, at position: Int) {
        self.message = message
        self.position = position
    }
}
