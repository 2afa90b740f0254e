/// The normalisation of a tokenizer: its steps in order.
struct Normalizer: Sendable {
    let outputForm: TextForm = .utf8

    init(_ field: Field?) throws(TokenizerError) {
        if let field { throw field.unknownType(try field.type(), kind: "normalizer") }
    }

    func normalize(_ segment: SegmentSpace) {}

    /// A whole text normalised, in the output form.
    func normalize(_ text: String) -> [UInt8] { Array(text.utf8) }
}
