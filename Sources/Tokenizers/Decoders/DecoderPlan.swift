/// The decoder of a tokenizer: its steps in order.
struct DecoderPlan: Sendable {
    enum Step: Sendable {
        case byteLevel
    }

    private(set) var steps: [Step] = []

    init(_ field: Field?) throws(TokenizerError) {
        guard let field else { return }
        guard try field.type() == "ByteLevel" else { throw field.unknownType(try field.type(), kind: "decoder") }
        steps = [.byteLevel]
    }
}
