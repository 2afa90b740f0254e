import Checkpoints

/// Reads the `model` object of a `tokenizer.json` straight into flat storage.
struct ModelReader {
    private let form: TextForm
    private let path = "\(TokenizerFile.name): model"
    private var members: [String: JSONValue] = [:]
    private var vocabulary: VocabularyBuilder
    private var scores: [Double] = []
    private var hasVocabulary = false
    private var isScored = false
    private var merges = MergeList()
    private var hasMerges = false

    /// `form` is how text looks when it reaches the model.
    static func read(_ bytes: UnsafeBufferPointer<UInt8>, at offset: Int, form: TextForm) throws(TokenizerError)
        -> TokenModel
    {
        var model = ModelReader(form: form)
        do {
            var reader = JSONReader(bytes, startingAt: offset)
            reader.maximumDepth = 64
            try model.readMembers(&reader)
            return try model.build()
        } catch let error as TokenizerError {
            throw error
        } catch {
            throw TokenizerError(model.path, "\(error)")
        }
    }

    private init(form: TextForm) {
        self.form = form
        vocabulary = VocabularyBuilder(field: "\(path).vocab", form: form)
    }

    private mutating func readMembers(_ reader: inout JSONReader) throws {
        try reader.beginObject()
        var isFirst = true
        while let key = try reader.nextKey(isFirst: &isFirst) {
            guard members[key] == nil else { throw TokenizerError("\(path).\(key)", "the field is given twice") }
            switch key {
            case "vocab":
                guard !hasVocabulary else { throw TokenizerError("\(path).vocab", "the field is given twice") }
                hasVocabulary = true
                if try reader.peek() == UInt8(ascii: "[") {
                    isScored = true
                    try readScoredVocabulary(&reader)
                } else {
                    try readVocabulary(&reader)
                }
            case "merges":
                guard !hasMerges else { throw TokenizerError("\(path).merges", "the field is given twice") }
                hasMerges = true
                try merges.read(&reader, path: "\(path).merges")
            default: members[key] = try reader.value()
            }
        }
    }

    /// `{"token": id, …}`
    private mutating func readVocabulary(_ reader: inout JSONReader) throws {
        guard try reader.peek() == UInt8(ascii: "{") else {
            throw TokenizerError("\(path).vocab", "expected an object of tokens and ids")
        }
        try reader.beginObject()
        var isFirst = true
        var token: [UInt8] = []
        while try reader.nextKey(isFirst: &isFirst, into: &token) {
            guard let id = try reader.number().int else {
                throw TokenizerError("\(path).vocab", "the id of '\(Self.shown(token))' is not a whole number")
            }
            try token.withUnsafeBufferPointer { bytes throws(TokenizerError) in
                try vocabulary.append(bytes, id: id)
            }
        }
    }

    /// `[["token", score], …]`; the id is the position.
    private mutating func readScoredVocabulary(_ reader: inout JSONReader) throws {
        try reader.beginArray()
        var isFirst = true
        var token: [UInt8] = []
        while try reader.nextElement(isFirst: &isFirst) {
            let place = "\(path).vocab[\(scores.count)]"
            guard try reader.peek() == UInt8(ascii: "[") else {
                throw TokenizerError(place, "expected a token and its score")
            }
            try reader.beginArray()
            var isFirstPart = true
            guard try reader.nextElement(isFirst: &isFirstPart) else {
                throw TokenizerError(place, "expected a token and its score")
            }
            try reader.string(into: &token)
            guard try reader.nextElement(isFirst: &isFirstPart), let score = try reader.number().double,
                score.isFinite
            else { throw TokenizerError(place, "expected a token and its score") }
            guard try !reader.nextElement(isFirst: &isFirstPart) else {
                throw TokenizerError(place, "expected a token and its score, nothing more")
            }
            try token.withUnsafeBufferPointer { bytes throws(TokenizerError) in
                try vocabulary.append(bytes, id: scores.count)
            }
            scores.append(score)
        }
    }

    private static func shown(_ token: [UInt8]) -> String { String(decoding: token.prefix(80), as: UTF8.self) }

    // MARK: Building

    private var field: Field { Field(value: .object(JSONObject(members.map { ($0.key, $0.value) })), path: path) }

    private consuming func build() throws(TokenizerError) -> TokenModel {
        guard hasVocabulary else { throw TokenizerError("\(path).vocab", "the field is missing") }
        let field = field
        let type = try field["type"]?.string() ?? inferredType
        if isScored != (type == "Unigram") {
            throw TokenizerError(
                "\(path).vocab", isScored ? "expected an object of tokens and ids" : "expected pairs of token and score"
            )
        }
        let scores = scores
        let merges = merges
        let vocabulary = try Vocabulary(vocabulary, form: form)
        switch type {
        case "BPE":
            guard hasMerges else { throw TokenizerError("\(path).merges", "the field is missing") }
            let options = try Self.bytePairOptions(field)
            let resolved = try merges.resolve(
                in: vocabulary, prefixLength: options.continuingPrefix.count, path: "\(path).merges")
            return .bytePair(BytePairModel(vocabulary, resolved, options))
        case "Unigram": return .unigram(try UnigramModel(vocabulary, scores: scores, field))
        case "WordPiece": return .wordPiece(try WordPieceModel(vocabulary, field))
        case "WordLevel": return .wordLevel(try WordLevelModel(vocabulary, field))
        default: throw field.unknownType(type, kind: "model")
        }
    }

    /// Old files have no type; the members tell.
    private var inferredType: String {
        if isScored { return "Unigram" }
        if hasMerges { return "BPE" }
        return members["max_input_chars_per_word"] != nil ? "WordPiece" : "WordLevel"
    }

    private static func bytePairOptions(_ field: Field) throws(TokenizerError) -> BytePairModel.Options {
        var options = BytePairModel.Options()
        options.unknownToken = try field["unk_token"]?.string()
        options.continuingPrefix = Array(try field["continuing_subword_prefix"]?.string().utf8 ?? "".utf8)
        options.wordSuffix = Array(try field["end_of_word_suffix"]?.string().utf8 ?? "".utf8)
        options.fusesUnknown = try field.bool("fuse_unk", default: false)
        options.fallsBackToBytes = try field.bool("byte_fallback", default: false)
        options.ignoresMerges = try field.bool("ignore_merges", default: false)
        return options
    }
}
