import Checkpoints

/// The members of a request's object, read by name: `null` counts as absent, wrong types are refused by their path.
package struct Fields: Sendable {
    package let object: JSONObject
    /// Where the object stands in the request: empty, or for example `messages[0]`.
    package let path: String

    package init(_ value: JSONValue, path: String = "") throws(APIError) {
        guard let object = value.object else {
            throw Self.mismatch(path.isEmpty ? "the request body" : path, "an object", value)
        }
        self.object = object
        self.path = path
    }

    package func path(of key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    /// The member, or nil when it is absent or null.
    package func value(_ key: String) -> JSONValue? {
        guard let value = object[key], !value.isNull else { return nil }
        return value
    }

    package func bool(_ key: String) throws(APIError) -> Bool? {
        guard let value = value(key) else { return nil }
        guard let result = value.bool else { throw Self.mismatch(path(of: key), "a boolean", value) }
        return result
    }

    /// An integer that fits 64 bits; `1.0` counts as one.
    package func integer(_ key: String) throws(APIError) -> Int? {
        guard let value = value(key) else { return nil }
        return try Self.integer(value, path(of: key))
    }

    /// A finite number.
    package func number(_ key: String) throws(APIError) -> Double? {
        guard let value = value(key) else { return nil }
        return try Self.number(value, path(of: key))
    }

    package func string(_ key: String) throws(APIError) -> String? {
        guard let value = value(key) else { return nil }
        guard let result = value.string else { throw Self.mismatch(path(of: key), "a string", value) }
        return result
    }

    package func array(_ key: String) throws(APIError) -> [JSONValue]? {
        guard let value = value(key) else { return nil }
        guard let result = value.array else { throw Self.mismatch(path(of: key), "an array", value) }
        return result
    }

    package func fields(_ key: String) throws(APIError) -> Fields? {
        guard let value = value(key) else { return nil }
        return try Fields(value, path: path(of: key))
    }

    /// An array of objects.
    package func objects(_ key: String) throws(APIError) -> [Fields]? {
        guard let values = try array(key) else { return nil }
        var result: [Fields] = []
        for (position, value) in values.enumerated() {
            result.append(try Fields(value, path: "\(path(of: key))[\(position)]"))
        }
        return result
    }

    package func strings(_ key: String, limit: Int) throws(APIError) -> [String]? {
        guard let values = try array(key) else { return nil }
        try Self.checkCount(values.count, limit, path(of: key))
        var result: [String] = []
        for (position, value) in values.enumerated() {
            guard let text = value.string else {
                throw Self.mismatch("\(path(of: key))[\(position)]", "a string", value)
            }
            result.append(text)
        }
        return result
    }

    package func tokens(_ key: String, limit: Int) throws(APIError) -> [Int32]? {
        guard let values = try array(key) else { return nil }
        try Self.checkCount(values.count, limit, path(of: key))
        return try Self.tokens(values, path(of: key))
    }
}

extension Fields {
    package static func tokens(_ values: [JSONValue], _ path: String) throws(APIError) -> [Int32] {
        var result: [Int32] = []
        result.reserveCapacity(values.count)
        for (position, value) in values.enumerated() {
            let number = try integer(value, "\(path)[\(position)]")
            guard number >= 0, let token = Int32(exactly: number) else {
                throw .badRequest(
                    "\(path)[\(position)]: token id \(number) is outside the vocabulary", parameter: path)
            }
            result.append(token)
        }
        return result
    }

    package static func integer(_ value: JSONValue, _ path: @autoclosure () -> String) throws(APIError) -> Int {
        switch value {
        case .int(let number): return number
        case .double(let number):
            if let result = Int(exactly: number) { return result }
            let path = path()
            guard number.rounded() == number || !number.isFinite else {
                throw .badRequest("\(path): expected an integer, got \(number)", parameter: path)
            }
            throw .badRequest("\(path): the integer does not fit 64 bits", parameter: path)
        default: throw mismatch(path(), "an integer", value)
        }
    }

    package static func number(_ value: JSONValue, _ path: String) throws(APIError) -> Double {
        guard let result = value.double else { throw mismatch(path, "a number", value) }
        guard result.isFinite else { throw .badRequest("\(path): expected a finite number", parameter: path) }
        return result
    }

    package static func mismatch(_ path: String, _ expected: String, _ found: JSONValue) -> APIError {
        .badRequest("\(path): expected \(expected), got \(found.kind)", parameter: path)
    }

    package static func checkCount(_ count: Int, _ limit: Int, _ path: String) throws(APIError) {
        guard count <= limit else {
            throw .badRequest("\(path): at most \(limit) entries are allowed, got \(count)", parameter: path)
        }
    }
}
