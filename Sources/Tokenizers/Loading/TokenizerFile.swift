import Checkpoints

/// The members of a `tokenizer.json`: the small ones as trees, the model still as text.
struct TokenizerFile {
    private var members: [String: JSONValue] = [:]
    /// Where the model's object begins.
    private(set) var modelOffset = 0

    static let name = "tokenizer.json"
    private static let known: Set<String> = [
        "version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder",
        "model",
    ]

    init(_ bytes: UnsafeBufferPointer<UInt8>) throws(TokenizerError) {
        do {
            try read(bytes)
        } catch let error as JSONError {
            throw TokenizerError(Self.name, error.description)
        } catch let error as TokenizerError {
            throw error
        } catch {
            throw TokenizerError(Self.name, "\(error)")
        }
    }

    private mutating func read(_ bytes: UnsafeBufferPointer<UInt8>) throws {
        var reader = JSONReader(bytes)
        reader.maximumDepth = 64
        var isFirst = true
        var hasModel = false
        try reader.beginObject()
        while let key = try reader.nextKey(isFirst: &isFirst) {
            if key == "model" {
                guard !hasModel else { throw TokenizerError("\(Self.name): model", "the field is given twice") }
                hasModel = true
                guard try reader.peek() == UInt8(ascii: "{") else {
                    throw TokenizerError("\(Self.name): model", "expected an object")
                }
                modelOffset = reader.offset
                try reader.skipRawValue()
            } else if Self.known.contains(key) {
                guard members[key] == nil else {
                    throw TokenizerError("\(Self.name): \(key)", "the field is given twice")
                }
                members[key] = try reader.value()
            } else {
                try reader.skipRawValue()
            }
        }
        try reader.finish()
        guard hasModel else { throw TokenizerError("\(Self.name): model", "the field is missing") }
        if let version = self["version"], try version.string() != "1.0" {
            throw version.fail("expected '1.0', found '\(try version.string().prefix(20))'")
        }
    }

    /// A member that is present and not null.
    subscript(key: String) -> Field? {
        guard let value = members[key], !value.isNull else { return nil }
        return Field(value: value, path: "\(Self.name): \(key)")
    }
}
