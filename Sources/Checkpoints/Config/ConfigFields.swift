#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Typed, checked access to the fields of a JSON configuration file; every error names the file and the field.
///
/// A field that is absent and one that is `null` are the same thing: Python writes `null` for "not set".
package struct ConfigFields: Sendable {
    /// Path of the file, for messages.
    package let file: String
    package let object: JSONObject
    /// Dotted path of `object` inside the file, ending in a dot; empty at the top.
    private let prefix: String

    /// Most bytes of a configuration file that are read.
    package static let maximumLength = 16_000_000

    package init(file: String, object: JSONObject, prefix: String = "") {
        self.file = file
        self.object = object
        self.prefix = prefix
    }

    /// Reads the file at `path`, which must hold a JSON object. `NaN` and `Infinity` are read as Python writes them.
    package init(path: String) throws(CheckpointError) {
        let mapped = try MappedFile(path: path)
        guard mapped.bytes.count <= Self.maximumLength else {
            throw CheckpointError(
                .malformed, file: path,
                "the file has \(mapped.bytes.count) bytes, at most \(Self.maximumLength) are read")
        }
        self = try mapped.withBytes { (bytes) throws(CheckpointError) in try ConfigFields(bytes: bytes, file: path) }
    }

    /// Reads the text `bytes`, which must hold a JSON object; `file` is for messages.
    package init(bytes: UnsafeRawBufferPointer, file: String) throws(CheckpointError) {
        var reader = JSONReader(bytes.bindMemory(to: UInt8.self))
        reader.maximumDepth = 64
        reader.acceptsNonFiniteNumbers = true
        let value: JSONValue
        do {
            value = try reader.value()
            try reader.finish()
        } catch { throw .json(error, in: file) }
        guard let object = value.object else {
            throw CheckpointError(.malformed, file: file, "holds \(value.kind) at the top, expected an object")
        }
        self.init(file: file, object: object)
    }

    /// Reads the file at `path`, or returns nil if there is none.
    package static func ifPresent(path: String) throws(CheckpointError) -> ConfigFields? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        return try ConfigFields(path: path)
    }

    // MARK: Errors

    package func mismatch(
        _ field: String, _ problem: String, kind: CheckpointError.Kind = .mismatch, advice: String? = nil
    ) -> CheckpointError {
        CheckpointError(kind, file: file, subject: "field '\(prefix)\(field)'", problem, advice: advice)
    }

    private func wrongType(_ field: String, _ expected: String, _ value: JSONValue) -> CheckpointError {
        mismatch(field, "expected \(expected), found \(Self.shown(value))")
    }

    /// A short form of `value` for messages.
    static func shown(_ value: JSONValue) -> String {
        switch value {
        case .null, .bool, .int, .double: value.compactText
        case .string(let text): CheckpointError.quoted(text)
        case .array(let values): "a list of \(values.count)"
        case .object: "an object"
        }
    }

    // MARK: Values

    package func has(_ field: String) -> Bool { value(field) != nil }

    /// The value of `field` unless it is absent or null.
    package func value(_ field: String) -> JSONValue? {
        guard let value = object[field], !value.isNull else { return nil }
        return value
    }

    package func bool(_ field: String) throws(CheckpointError) -> Bool? {
        guard let value = value(field) else { return nil }
        guard let bool = value.bool else { throw wrongType(field, "true or false", value) }
        return bool
    }

    package func string(_ field: String) throws(CheckpointError) -> String? {
        guard let value = value(field) else { return nil }
        guard let string = value.string else { throw wrongType(field, "a string", value) }
        return string
    }

    /// A whole number; `4096.0` counts as one.
    package func int(_ field: String, in range: ClosedRange<Int>) throws(CheckpointError) -> Int? {
        guard let value = value(field) else { return nil }
        guard let int = value.int, range.contains(int) else {
            throw wrongType(field, "a whole number from \(range.lowerBound) to \(range.upperBound)", value)
        }
        return int
    }

    package func requiredInt(_ field: String, in range: ClosedRange<Int>) throws(CheckpointError) -> Int {
        guard let int = try int(field, in: range) else {
            throw mismatch(
                field, "is missing, expected a whole number from \(range.lowerBound) to \(range.upperBound)",
                kind: .missing)
        }
        return int
    }

    /// The same for a field that some types of models call `other`.
    package func requiredInt(
        _ field: String, orElse other: String, in range: ClosedRange<Int>
    ) throws(CheckpointError) -> Int {
        guard !has(field), let int = try int(other, in: range) else { return try requiredInt(field, in: range) }
        return int
    }

    /// A finite number.
    package func double(_ field: String, in range: ClosedRange<Double>) throws(CheckpointError) -> Double? {
        guard let value = value(field) else { return nil }
        guard let double = value.double, range.contains(double) else {
            throw wrongType(field, "a number from \(range.lowerBound) to \(range.upperBound)", value)
        }
        return double
    }

    package func requiredDouble(_ field: String, in range: ClosedRange<Double>) throws(CheckpointError) -> Double {
        guard let double = try double(field, in: range) else {
            throw mismatch(
                field, "is missing, expected a number from \(range.lowerBound) to \(range.upperBound)", kind: .missing)
        }
        return double
    }

    /// A list of finite numbers.
    package func doubles(_ field: String, in range: ClosedRange<Double>) throws(CheckpointError) -> [Double]? {
        guard let value = value(field) else { return nil }
        guard let array = value.array else { throw wrongType(field, "a list of numbers", value) }
        var result: [Double] = []
        for element in array {
            guard let double = element.double, range.contains(double) else {
                throw wrongType(
                    field, "a list of numbers from \(range.lowerBound) to \(range.upperBound), in it", element)
            }
            result.append(double)
        }
        return result
    }

    package func strings(_ field: String) throws(CheckpointError) -> [String]? {
        guard let value = value(field) else { return nil }
        guard let array = value.array else { throw wrongType(field, "a list of strings", value) }
        var result: [String] = []
        for element in array {
            guard let string = element.string else { throw wrongType(field, "a list of strings, in it", element) }
            result.append(string)
        }
        return result
    }

    package func nested(_ field: String) throws(CheckpointError) -> ConfigFields? {
        guard let value = value(field) else { return nil }
        guard let object = value.object else { throw wrongType(field, "an object", value) }
        return ConfigFields(file: file, object: object, prefix: "\(prefix)\(field).")
    }

    /// A token id, a list of them, or none; negative ids, which some files have for "none", are left out.
    package func tokenIDs(_ field: String) throws(CheckpointError) -> [Int32] {
        guard let value = value(field) else { return [] }
        var result: [Int32] = []
        for element in value.array ?? [value] {
            guard let int = element.int, let id = Int32(exactly: int) else {
                throw wrongType(field, "a token id or a list of token ids", element)
            }
            if id >= 0, !result.contains(id) { result.append(id) }
            guard result.count <= 4096 else { throw mismatch(field, "has more than 4096 token ids") }
        }
        return result
    }

    /// One token id, or none; of a list the first.
    package func tokenID(_ field: String) throws(CheckpointError) -> Int32? { try tokenIDs(field).first }
}
