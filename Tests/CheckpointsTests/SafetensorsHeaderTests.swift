import Checkpoints
import Testing

/// A file that must be refused, and what the message must say.
struct HostileFile: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let bytes: [UInt8]
    let expected: [String]

    init(_ name: String, _ header: String, data: Int = 0, length: UInt64? = nil, expect expected: String...) {
        testDescription = name
        bytes = safetensors(header, dataCount: data, lengthField: length)
        self.expected = expected
    }

    init(_ name: String, raw bytes: [UInt8], expect expected: String...) {
        testDescription = name
        self.bytes = bytes
        self.expected = expected
    }
}

@Suite struct SafetensorsHeaderTests {
    private static func entry(
        _ name: String, dtype: String = "F32", shape: String = "[1]", _ begin: Int, _ end: Int
    ) -> String {
        "\"\(name)\":{\"dtype\":\"\(dtype)\",\"shape\":\(shape),\"data_offsets\":[\(begin),\(end)]}"
    }

    private static func header(_ entries: String...) -> String { "{" + entries.joined(separator: ",") + "}" }

    static let hostileFiles: [HostileFile] = [
        .init("empty file", raw: [], expect: "0 bytes"),
        .init("seven bytes", raw: [1, 2, 3, 4, 5, 6, 7], expect: "7 bytes", "download"),
        .init("length beyond the file", "{}", length: 3, expect: "length is 3", "only 2 follow"),
        .init("length beyond the limit", "{}", length: 100_000_001, expect: "100000001", "at most 100000000"),
        .init("length of 2^64 - 1", "{}", length: .max, expect: "18446744073709551615"),
        .init("length with the sign bit", "{}", length: 1 << 63, expect: "at most 100000000"),
        .init(
            "Git LFS pointer", raw: Array("version https://git-lfs.github.com/spec/v1\n".utf8), expect: "git lfs pull"),
        .init("empty header", "", expect: "does not start with '{'"),
        .init("array", "[]", expect: "does not start with '{'"),
        .init("leading blank", " {}", expect: "does not start with '{'"),
        .init("not JSON", "{\"a\"", expect: "invalid JSON at byte 4"),
        .init("not UTF-8", raw: safetensorsWithInvalidName(), expect: "invalid UTF-8"),
        .init("text after the header", "{}x", expect: "unexpected text"),
        .init("zero byte after the header", "{}\0", expect: "unexpected text"),
        .init("two names", header(entry("a", 0, 4), entry("a", 4, 8)), data: 8, expect: "'a'", "twice"),
        .init("two metadata", #"{"__metadata__":{},"__metadata__":{}}"#, expect: "two '__metadata__'"),
        .init("metadata of numbers", #"{"__metadata__":{"a":1}}"#, expect: "expected a string"),
        .init("nested metadata", #"{"__metadata__":{"a":{"b":"c"}}}"#, expect: "expected a string"),
        .init("entry is a list", #"{"a":[]}"#, expect: "expected an object"),
        .init("no dtype", #"{"a":{"shape":[],"data_offsets":[0,0]}}"#, expect: "tensor 'a'", "no 'dtype'"),
        .init("no shape", #"{"a":{"dtype":"F32","data_offsets":[0,0]}}"#, expect: "no 'shape'"),
        .init("no offsets", #"{"a":{"dtype":"F32","shape":[0]}}"#, expect: "no 'data_offsets'"),
        .init(
            "two dtypes", #"{"a":{"dtype":"F32","dtype":"F32","shape":[0],"data_offsets":[0,0]}}"#, expect: "two fields"
        ),
        .init("another field", #"{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0],"x":1}}"#, expect: "'x'"),
        .init("unknown dtype", header(entry("a", dtype: "F128", 0, 16)), data: 16, expect: "'F128'", "BF16", "F32"),
        .init(
            "one offset", #"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0]}}"#, expect: "has 1 numbers, expected 2"),
        .init("three offsets", #"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0,0]}}"#, expect: "more than 2"),
        .init(
            "offset of a string", #"{"a":{"dtype":"U8","shape":[0],"data_offsets":["0",0]}}"#,
            expect: "expected a number"),
        .init("negative offset", header(entry("a", -4, 0)), data: 4, expect: "-4"),
        .init("fractional size", #"{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}"#, data: 1, expect: "1.0"),
        .init(
            "offset above 2^63", #"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,9223372036854775808]}}"#,
            expect: "whole numbers"),
        .init("offsets exchanged", header(entry("a", 4, 0)), data: 4, expect: "4 to 0"),
        .init("data beyond the file", header(entry("a", 0, 8)), data: 4, expect: "0 to 8", "4 bytes of data"),
        .init("negative size", header(entry("a", shape: "[-1]", 0, 4)), data: 4, expect: "-1"),
        .init("size too small", header(entry("a", shape: "[2]", 0, 4)), data: 4, expect: "takes 8 bytes, found 4"),
        .init("size too large", header(entry("a", shape: "[]", 0, 8)), data: 8, expect: "takes 4 bytes, found 8"),
        .init(
            "product overflows", header(entry("a", shape: "[4294967296,4294967296]", 0, 0)), expect: "fits 63 bits"),
        .init(
            "product overflows to the right size",
            header(entry("a", dtype: "U8", shape: "[3,6148914691236517206]", 0, 2)), data: 2, expect: "fits 63 bits"),
        .init(
            "bits overflow", header(entry("a", dtype: "F64", shape: "[1152921504606846976]", 0, 0)),
            expect: "fits 63 bits"
        ),
        .init(
            "zero hides an overflow", header(entry("a", shape: "[4294967296,4294967296,0]", 0, 0)),
            expect: "fits 63"),
        .init(
            "half a byte", header(entry("a", dtype: "F4", shape: "[3]", 0, 2)), data: 2, expect: "whole number of bytes"
        ),
        .init(
            "65 dimensions",
            header(entry("a", shape: "[" + repeatElement("1", count: 65).joined(separator: ",") + "]", 0, 4)),
            data: 4, expect: "more than 64"),
        .init(
            "overlap", header(entry("a", 0, 4), entry("b", 2, 6)), data: 6,
            expect: "tensor 'b'", "offset 2", "overlaps tensor 'a'"),
        .init(
            "the same place", header(entry("a", 0, 4), entry("b", 0, 4)), data: 4,
            expect: "overlaps tensor 'a'"),
        .init(
            "gap", header(entry("b", 8, 12), entry("a", 0, 4)), data: 12,
            expect: "tensor 'b'", "offset 8, expected 4"),
        .init("gap at the start", header(entry("a", 4, 8)), data: 8, expect: "expected 0, where the header ends"),
        .init("rest at the end", header(entry("a", 0, 4)), data: 5, expect: "end at offset 4", "5 bytes"),
        .init("data without tensors", "{}", data: 1, expect: "end at offset 0"),
        .init(
            "deep metadata", "{\"__metadata__\":" + String(repeating: "[", count: 100_000), expect: "expected an object"
        ),
        .init("deep shape", "{\"a\":{\"shape\":" + String(repeating: "[", count: 100_000), expect: "expected a number"),
    ]

    private static func safetensorsWithInvalidName() -> [UInt8] {
        var file = safetensors("{\"?\":{}}", dataCount: 0)
        file[10] = 0xFF
        return file
    }

    @Test(arguments: hostileFiles) func hostileFileIsRefused(_ file: HostileFile) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("model.safetensors", file.bytes)
        let text = try #require(message { try SafetensorsFile(path: path) })
        #expect(text.hasPrefix(path))
        for part in file.expected { #expect(text.contains(part), "\(text)") }
    }

    @Test func everyTruncationAndByteChangeIsRefusedOrHarmless() throws {
        let good = safetensors(
            Self.header(Self.entry("a", 0, 4), Self.entry("b", dtype: "BF16", shape: "[2,3]", 4, 16)), dataCount: 16)
        for count in 0..<good.count {
            let cut = Array(good[..<count])
            _ = cut.withUnsafeBytes { bytes in
                #expect(throws: CheckpointError.self) { try SafetensorsHeader(bytes, path: "f") }
            }
        }
        for position in good.indices {
            for value in [0, 0x22, 0x2C, 0x39, 0x5C, 0x7B, 0x7F, 0xFF] as [UInt8] {
                var changed = good
                changed[position] = value
                changed.withUnsafeBytes { bytes in
                    guard let header = try? SafetensorsHeader(bytes, path: "f") else { return }
                    for tensor in header.tensors { #expect(tensor.range.upperBound <= bytes.count) }
                }
            }
        }
    }

    @Test func unorderedAndEmptyTensorsAndPaddingAreFine() throws {
        let header =
            Self.header(
                Self.entry("b", 4, 8), Self.entry("nothing", shape: "[0,7]", 4, 4), Self.entry("a", shape: "[]", 0, 4))
            + "   \n"
        try safetensors(header, dataCount: 8).withUnsafeBytes { bytes in
            let header = try SafetensorsHeader(bytes, path: "f")
            #expect(header.tensors.map(\.name) == ["a", "nothing", "b"])
            #expect(header.tensors.map(\.range.count) == [4, 0, 4])
        }
    }

    @Test func packedTypesCountBits() throws {
        let header =
            Self.header(
                Self.entry("a", dtype: "F4", shape: "[2,3]", 0, 3),
                Self.entry("b", dtype: "F6_E2M3", shape: "[4]", 3, 6))
        try safetensors(header, dataCount: 6).withUnsafeBytes { bytes in
            let header = try SafetensorsHeader(bytes, path: "f")
            #expect(header.tensors.count == 2)
        }
    }

    @Test func hostileNamesAreShownShortAndEscaped() throws {
        let name = String(repeating: "x", count: 10_000)
        let header = Self.header(Self.entry("\\u001b[31m" + name, 0, 8))
        let text = try #require(
            message { try safetensors(header, dataCount: 8).withUnsafeBytes { try SafetensorsHeader($0, path: "f") } })
        #expect(text.utf8.count < 300)
        #expect(!text.contains("\u{1B}"))
    }
}
