import Checkpoints

/// A JSON value together with its path in the file, so that every complaint names its place.
struct Field {
    let value: JSONValue
    let path: String

    func fail(_ message: String) -> TokenizerError { TokenizerError(path, message) }

    private func mismatch(_ expected: String) -> TokenizerError { fail("expected \(expected), found \(value.kind)") }

    /// The member `key`, or nil when it is missing or null.
    subscript(key: String) -> Field? {
        guard let member = value[key], !member.isNull else { return nil }
        return Field(value: member, path: "\(path).\(key)")
    }

    func required(_ key: String) throws(TokenizerError) -> Field {
        guard value.object != nil else { throw mismatch("an object") }
        guard let member = self[key] else { throw TokenizerError("\(path).\(key)", "the field is missing") }
        return member
    }

    func string() throws(TokenizerError) -> String {
        guard let string = value.string else { throw mismatch("a string") }
        return string
    }

    func bool() throws(TokenizerError) -> Bool {
        guard let bool = value.bool else { throw mismatch("true or false") }
        return bool
    }

    /// A whole number in `range`.
    func int(in range: ClosedRange<Int>) throws(TokenizerError) -> Int {
        guard let int = value.int else { throw mismatch("a whole number") }
        guard range.contains(int) else {
            throw fail("\(int) is out of range; expected \(range.lowerBound) to \(range.upperBound)")
        }
        return int
    }

    func array() throws(TokenizerError) -> [Field] {
        guard let array = value.array else { throw mismatch("an array") }
        return array.enumerated().map { Field(value: $1, path: "\(path)[\($0)]") }
    }

    /// A string that is exactly one Unicode scalar.
    func scalar() throws(TokenizerError) -> UInt32 {
        let scalars = try string().unicodeScalars
        guard scalars.count == 1, let scalar = scalars.first else { throw fail("expected a single character") }
        return scalar.value
    }

    func bool(_ key: String, default fallback: Bool) throws(TokenizerError) -> Bool {
        guard let field = self[key] else { return fallback }
        return try field.bool()
    }

    /// The component's type, its discriminator.
    func type() throws(TokenizerError) -> String { try required("type").string() }

    func unknownType(_ type: String, kind: String) -> TokenizerError {
        TokenizerError("\(path).type", "the \(kind) '\(type.prefix(80))' is not supported")
    }
}
