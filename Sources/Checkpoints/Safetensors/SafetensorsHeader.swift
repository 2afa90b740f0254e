/// The table of contents of a safetensors file: 8 bytes of length, a JSON object, then the tensors' bytes.
///
/// Nothing in the file is trusted. What the constructor accepts obeys the whole format: every tensor's byte count follows
/// from its shape and dtype, and the tensors tile the data without gap, overlap or rest.
package struct SafetensorsHeader: Sendable {
    package struct Tensor: Sendable, Equatable {
        package let name: String
        package let dtype: TensorDType
        package let shape: [Int]
        /// Offsets in bytes from the start of the *file*.
        package let range: Range<Int>
    }

    /// In the order of their data.
    package let tensors: [Tensor]
    /// The free-form `__metadata__` of the file.
    package let metadata: [String: String]

    /// Longest header that is read, in bytes; the reference implementation has the same limit.
    package static let maximumLength = 100_000_000
    /// Most dimensions of a tensor; PyTorch has the same limit.
    package static let maximumRank = 64
    static let metadataKey = "__metadata__"

    /// Reads and checks the header of the file with content `bytes`; `path` is for messages. O(n log n) in the tensors.
    package init(_ bytes: UnsafeRawBufferPointer, path: String) throws(CheckpointError) {
        let length = try Self.headerLength(bytes, path: path)
        let start = 8 + length
        let text = UnsafeRawBufferPointer(rebasing: bytes[8..<start]).bindMemory(to: UInt8.self)
        guard text.first == UInt8(ascii: "{") else {
            throw CheckpointError(
                .malformed, file: path, "the header does not start with '{'",
                advice: "this is not a safetensors file, or it is damaged")
        }
        var parser = HeaderParser(text, path: path, dataStart: start, dataLength: bytes.count - start)
        do { try parser.parse() } catch {
            switch error {
            case .json(let error): throw .json(error, in: path)
            case .checkpoint(let error): throw error
            }
        }
        tensors = try Self.tiled(parser.tensors, from: start, to: bytes.count, path: path)
        metadata = parser.metadata
    }

    private static func headerLength(_ bytes: UnsafeRawBufferPointer, path: String) throws(CheckpointError) -> Int {
        guard bytes.count >= 8 else {
            throw CheckpointError(
                .malformed, file: path, "the file has \(bytes.count) bytes, a safetensors file has at least 10",
                advice: "the download was not completed: download it again")
        }
        let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard length <= UInt64(maximumLength) else {
            let advice =
                bytes.starts(with: "version https://git-lfs".utf8)
                ? "this is a Git LFS pointer, not the file itself: run git lfs pull" : "this is not a safetensors file"
            throw CheckpointError(
                .malformed, file: path, "the header's length is \(length) bytes, at most \(maximumLength) are allowed",
                advice: advice)
        }
        guard length <= UInt64(bytes.count - 8) else {
            throw CheckpointError(
                .malformed, file: path,
                "the header's length is \(length) bytes, but only \(bytes.count - 8) follow in the file",
                advice: "the download was not completed: download it again")
        }
        return Int(length)
    }

    /// Checks that the tensors, which it sorts by place, cover `start..<end` exactly.
    private static func tiled(
        _ tensors: [Tensor], from start: Int, to end: Int, path: String
    ) throws(CheckpointError) -> [Tensor] {
        let sorted = tensors.sorted {
            ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
        }
        var reached = start
        var previous: Tensor?
        for tensor in sorted {
            let begin = tensor.range.lowerBound
            guard begin == reached else {
                let after = previous.map { "tensor \(CheckpointError.quoted($0.name))" } ?? "the header"
                throw CheckpointError.tensor(
                    tensor.name, in: path, .malformed,
                    begin < reached
                        ? "its data starts at offset \(begin - start) and overlaps \(after), which ends at \(reached - start)"
                        : "its data starts at offset \(begin - start), expected \(reached - start), where \(after) ends"
                )
            }
            reached = tensor.range.upperBound
            previous = tensor
        }
        guard reached == end else {
            throw CheckpointError(
                .malformed, file: path,
                "the tensors end at offset \(reached - start), but the data has \(end - start) bytes",
                advice: "the file is damaged: download it again")
        }
        return sorted
    }
}

/// Either thing that can go wrong in a header.
private enum HeaderError: Error {
    case json(JSONError)
    case checkpoint(CheckpointError)
}

/// Pulls the entries out of the header's text.
private struct HeaderParser {
    private var reader: JSONReader
    private let path: String
    private let dataStart: Int
    private let dataLength: Int
    private var names: Set<String> = []
    private(set) var tensors: [SafetensorsHeader.Tensor] = []
    private(set) var metadata: [String: String] = [:]

    init(_ text: UnsafeBufferPointer<UInt8>, path: String, dataStart: Int, dataLength: Int) {
        reader = JSONReader(text)
        reader.maximumDepth = 8
        self.path = path
        self.dataStart = dataStart
        self.dataLength = dataLength
    }

    mutating func parse() throws(HeaderError) {
        var seenMetadata = false
        try json { (reader) throws(JSONError) in try reader.beginObject() }
        var isFirst = true
        while let name = try json({ (reader) throws(JSONError) in try reader.nextKey(isFirst: &isFirst) }) {
            if name == SafetensorsHeader.metadataKey {
                guard !seenMetadata else {
                    throw .checkpoint(.init(.malformed, file: path, "the header has two '__metadata__' entries"))
                }
                seenMetadata = true
                try readMetadata()
            } else {
                guard names.insert(name).inserted else { throw problem(name, "the header names it twice") }
                tensors.append(try entry(name))
            }
        }
        try json { (reader) throws(JSONError) in try reader.finish() }
    }

    private mutating func json<R>(_ body: (inout JSONReader) throws(JSONError) -> R) throws(HeaderError) -> R {
        do { return try body(&reader) } catch { throw .json(error) }
    }

    private func problem(_ name: String, _ text: String) -> HeaderError {
        .checkpoint(.tensor(name, in: path, .malformed, text))
    }

    private mutating func readMetadata() throws(HeaderError) {
        try json { (reader) throws(JSONError) in try reader.beginObject() }
        var isFirst = true
        while let key = try json({ (reader) throws(JSONError) in try reader.nextKey(isFirst: &isFirst) }) {
            metadata[key] = try json { (reader) throws(JSONError) in try reader.string() }
        }
    }

    private mutating func entry(_ name: String) throws(HeaderError) -> SafetensorsHeader.Tensor {
        var dtype: String?
        var shape: [Int]?
        var offsets: [Int]?
        try json { (reader) throws(JSONError) in try reader.beginObject() }
        var isFirst = true
        while let field = try json({ (reader) throws(JSONError) in try reader.nextKey(isFirst: &isFirst) }) {
            switch field {
            case "dtype" where dtype == nil: dtype = try json { (reader) throws(JSONError) in try reader.string() }
            case "shape" where shape == nil: shape = try integers(of: name, field, limit: SafetensorsHeader.maximumRank)
            case "data_offsets" where offsets == nil: offsets = try integers(of: name, field, limit: 2)
            case "dtype", "shape", "data_offsets":
                throw problem(name, "its entry has two fields \(CheckpointError.quoted(field))")
            default:
                throw problem(
                    name,
                    "its entry has a field \(CheckpointError.quoted(field)), expected 'dtype', 'shape' and 'data_offsets'"
                )
            }
        }
        guard let dtype else { throw problem(name, "its entry has no 'dtype'") }
        guard let shape else { throw problem(name, "its entry has no 'shape'") }
        guard let offsets else { throw problem(name, "its entry has no 'data_offsets'") }
        return try checked(name, dtype: dtype, shape: shape, offsets: offsets)
    }

    private mutating func integers(of name: String, _ field: String, limit: Int) throws(HeaderError) -> [Int] {
        var result: [Int] = []
        try json { (reader) throws(JSONError) in try reader.beginArray() }
        var isFirst = true
        while try json({ (reader) throws(JSONError) in try reader.nextElement(isFirst: &isFirst) }) {
            let number = try json { (reader) throws(JSONError) in try reader.number() }
            guard case .int(let value) = number, value >= 0 else {
                throw problem(name, "'\(field)' holds \(number.compactText), expected whole numbers from 0 to 2^63 - 1")
            }
            guard result.count < limit else { throw problem(name, "'\(field)' has more than \(limit) numbers") }
            result.append(value)
        }
        return result
    }

    private func checked(
        _ name: String, dtype: String, shape: [Int], offsets: [Int]
    ) throws(HeaderError) -> SafetensorsHeader.Tensor {
        guard let type = TensorDType(rawValue: dtype) else {
            throw problem(
                name,
                "unknown dtype \(CheckpointError.quoted(dtype)), expected one of "
                    + TensorDType.allCases.map(\.rawValue).joined(separator: ", "))
        }
        guard offsets.count == 2 else { throw problem(name, "'data_offsets' has \(offsets.count) numbers, expected 2") }
        guard offsets[0] <= offsets[1], offsets[1] <= dataLength else {
            throw problem(
                name,
                "its data lies at offsets \(offsets[0]) to \(offsets[1]), but the file has \(dataLength) bytes of data")
        }
        guard let expected = byteCount(shape, type) else {
            throw problem(name, "its shape \(shape) with dtype \(dtype) has no whole number of bytes that fits 63 bits")
        }
        guard offsets[1] - offsets[0] == expected else {
            throw problem(
                name, "shape \(shape) with dtype \(dtype) takes \(expected) bytes, found \(offsets[1] - offsets[0])")
        }
        return .init(name: name, dtype: type, shape: shape, range: dataStart + offsets[0]..<dataStart + offsets[1])
    }

    /// Product of `shape` times the size of an element, or nil where it overflows or ends inside a byte.
    private func byteCount(_ shape: [Int], _ type: TensorDType) -> Int? {
        var count = 1
        for size in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            if overflow { return nil }
            count = product
        }
        let (bits, overflow) = count.multipliedReportingOverflow(by: type.bits)
        return overflow || bits % 8 != 0 ? nil : bits / 8
    }
}
