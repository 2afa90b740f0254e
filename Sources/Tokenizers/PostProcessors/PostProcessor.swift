/// What is put around the ids of a text when special tokens are asked for.
///
/// All processors of a file, for a single sequence, come down to one list: fixed ids and places for the text's ids.
struct PostProcessor: Sendable {
    enum Part: Sendable, Equatable {
        case sequence
        case ids([Int32])
    }

    private(set) var parts: [Part] = [.sequence]

    static let maximumParts = 1024

    init() {}

    init(_ field: Field?) throws(TokenizerError) {
        guard let field else { return }
        parts = try Self.parts(of: field, depth: 0)
    }

    /// The ids of a text with what belongs around them.
    func wrap(_ ids: [Int32], addSpecialTokens: Bool) -> [Int32] {
        if parts == [.sequence] { return ids }
        var result: [Int32] = []
        result.reserveCapacity(ids.count + 8)
        for part in parts {
            switch part {
            case .sequence: result += ids
            case .ids(let added): if addSpecialTokens { result += added }
            }
        }
        return result
    }

    private static func parts(of field: Field, depth: Int) throws(TokenizerError) -> [Part] {
        guard depth < 32 else { throw field.fail("processors are nested too deep") }
        let type = try field.type()
        switch type {
        case "ByteLevel": return [.sequence]
        case "TemplateProcessing": return try template(field)
        case "BertProcessing", "RobertaProcessing":
            return [.ids([try pair(field.required("cls"))]), .sequence, .ids([try pair(field.required("sep"))])]
        case "Sequence":
            var parts: [Part] = [.sequence]
            for processor in try field.required("processors").array() {
                let outer = try Self.parts(of: processor, depth: depth + 1)
                parts = outer.flatMap { $0 == .sequence ? parts : [$0] }
                guard parts.count <= maximumParts else { throw field.fail("the processors add too many tokens") }
            }
            return parts
        default: throw field.unknownType(type, kind: "post-processor")
        }
    }

    /// `["[CLS]", 101]`.
    private static func pair(_ field: Field) throws(TokenizerError) -> Int32 {
        let elements = try field.array()
        guard elements.count == 2 else { throw field.fail("expected a token and its id") }
        return Int32(try elements[1].int(in: 0...Vocabulary.maximumID))
    }

    private static func template(_ field: Field) throws(TokenizerError) -> [Part] {
        let pieces = try field.required("single").array()
        guard pieces.count <= maximumParts else { throw field.fail("the template has too many parts") }
        var parts: [Part] = []
        for piece in pieces {
            if let special = piece["SpecialToken"] {
                let name = try special.required("id")
                let tokens = try field.required("special_tokens")
                guard let token = tokens[try name.string()] else {
                    throw name.fail("the token is not listed in special_tokens")
                }
                let ids = try token.required("ids")
                var added: [Int32] = []
                for id in try ids.array() { added.append(Int32(try id.int(in: 0...Vocabulary.maximumID))) }
                parts.append(.ids(added))
            } else if let sequence = piece["Sequence"] {
                guard try sequence.required("id").string() == "A" else {
                    throw sequence.fail("a template for a single text can only have the sequence A")
                }
                parts.append(.sequence)
            } else {
                throw piece.fail("expected SpecialToken or Sequence")
            }
        }
        return parts
    }
}
