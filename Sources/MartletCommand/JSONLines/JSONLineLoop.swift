import Checkpoints

/// A program in a pipe: reads JSON objects, one in each line, and answers each with one line at once.
enum JSONLineLoop {
    /// Answers every line of standard input until it ends; a line that fails is answered with `{"error": …}`.
    static func run(_ answer: (JSONObject) throws -> JSONObject) {
        let reader = LineReader()
        while let line = reader.next() { Terminal.output.write(reply(to: line, answer)) }
    }

    /// The answer to one line, with its line break.
    static func reply(to line: [UInt8], _ answer: (JSONObject) throws -> JSONObject) -> [UInt8] {
        let result: JSONObject
        do { result = try answer(try object(line)) } catch { result = ["error": .string("\(error)")] }
        var bytes: [UInt8] = []
        JSONWriter.append(.object(result), to: &bytes)
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    /// The JSON object that is all of `line`.
    static func object(_ line: [UInt8]) throws -> JSONObject {
        let value = try value(line)
        guard let object = value.object else { throw CommandError("expected a JSON object, found \(value.kind)") }
        return object
    }
}

extension JSONLineLoop {
    /// The JSON value that is all of `text`.
    static func value(_ text: [UInt8]) throws(JSONError) -> JSONValue {
        try text.withUnsafeBufferPointer { bytes throws(JSONError) in
            var reader = JSONReader(bytes)
            let value = try reader.value()
            try reader.finish()
            return value
        }
    }
}

extension JSONObject {
    /// The member `name`, which must be of the type that `read` takes; nil where it is missing or null.
    func optional<Value>(
        _ name: String, _ expected: String, _ read: (JSONValue) -> Value?
    ) throws(CommandError) -> Value? {
        guard let value = self[name], !value.isNull else { return nil }
        guard let result = read(value) else { throw CommandError("'\(name)' must be \(expected), found \(value.kind)") }
        return result
    }

    /// The member `name`, which must be there.
    func required<Value>(
        _ name: String, _ expected: String, _ read: (JSONValue) -> Value?
    ) throws(CommandError) -> Value {
        guard let value = try optional(name, expected, read) else {
            throw CommandError("'\(name)' is missing, expected \(expected)")
        }
        return value
    }

    /// A list of token ids.
    func tokenIDs(_ name: String) throws(CommandError) -> [Int32] {
        let values = try required(name, "a list of token ids", \.array)
        var ids: [Int32] = []
        ids.reserveCapacity(values.count)
        for (position, value) in values.enumerated() {
            guard let id = value.int.flatMap(Int32.init(exactly:)), id >= 0 else {
                throw CommandError("'\(name)[\(position)]' must be a token id (an integer from 0 to 2147483647)")
            }
            ids.append(id)
        }
        return ids
    }
}
