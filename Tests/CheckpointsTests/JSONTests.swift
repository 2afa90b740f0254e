import Checkpoints
import Testing

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

@Suite struct JSONReaderTests {
    private func parse(_ text: String) throws -> JSONValue { try JSONValue(parsing: text) }

    private func parse(_ bytes: [UInt8]) throws -> JSONValue {
        try bytes.withUnsafeBufferPointer { try JSONValue(parsing: $0) }
    }

    @Test(
        arguments: [
            ("0", .int(0)), ("-0", .int(0)), ("-1", .int(-1)), ("9223372036854775807", .int(.max)),
            ("-9223372036854775808", .int(.min)), ("9223372036854775808", .double(9.223372036854775808e18)),
            ("-9223372036854775809", .double(-9.223372036854775809e18)), ("1.0", .double(1)), ("1e2", .double(100)),
            ("1E+2", .double(100)), ("25e-1", .double(2.5)), ("0.1", .double(0.1)), ("-0.0", .double(-0.0)),
            ("5e-324", .double(.leastNonzeroMagnitude)), ("1e-400", .double(0)), ("1e400", .double(.infinity)),
            ("-1e400", .double(-.infinity)), ("2.2250738585072014e-308", .double(.leastNormalMagnitude)),
            ("123456789012345678901234567890", .double(1.2345678901234568e29)),
        ] as [(String, JSONValue)])
    func numbersAreReadAsPythonReadsThem(_ text: String, _ value: JSONValue) throws {
        #expect(try parse(text) == value)
    }

    @Test(arguments: [
        "", " ", "01", "-", "-01", "+1", ".5", "1.", "1.e2", "1e", "1e+", "0x10", "NaN", "Infinity", "-Infinity", "nul",
        "nulll", "True", "tru", "'a'", "\"", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\ud83d\\u12",
        "\"a\nb\"",
        "\"a\u{0}\"", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1,,2]", "{", "{\"a\"", "{\"a\":", "{\"a\":1",
        "{\"a\":1,", "{\"a\":1,}", "{,}", "{a:1}", "{1:2}", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "[1}", "{\"a\":1]", "1 2",
        "[] []", "{}//", "/**/1", "\u{FEFF}\u{FEFF}1", "\u{A0}1",
    ])
    func brokenTextIsRefused(_ text: String) {
        #expect(throws: JSONError.self) { try parse(text) }
        #expect(throws: JSONError.self) {
            try JSONReader.read(text) { reader in
                try reader.skipValue()
                try reader.finish()
            }
        }
    }

    @Test(arguments: [
        (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""\u0041\u00e9\u4e2d""#, "Aé中"),
        (#""\ud83d\ude00""#, "😀"), (#""\uD83D\uDE00x""#, "😀x"), (#""\ud83d""#, "\u{FFFD}"), (#""\ude00""#, "\u{FFFD}"),
        (#""\ud83dx""#, "\u{FFFD}x"), (#""\ud83d\n""#, "\u{FFFD}\n"), (#""\ud83d\u0041""#, "\u{FFFD}A"),
        (#""\ud83d\ud83d\ude00""#, "\u{FFFD}😀"), (#""a\u0000b""#, "a\u{0}b"), ("\"\u{7F}\u{80}\"", "\u{7F}\u{80}"),
        (
            "\"日本語 ünïcode 🎉 and enough plain letters to fill several words\"",
            "日本語 ünïcode 🎉 and enough plain letters to fill several words"
        ),
    ])
    func stringsAndEscapes(_ text: String, _ value: String) throws {
        #expect(try parse(text) == .string(value))
    }

    @Test func specialBytesAreFoundAtEveryPlaceOfAString() throws {
        for length in 0..<40 {
            for position in 0...length {
                for (special, ok) in [("é", true), ("\u{1F}", false), ("\\n", true), ("\\\"", true), ("\u{20}", true)] {
                    var text = String(repeating: "a", count: length)
                    text.insert(contentsOf: special, at: text.index(text.startIndex, offsetBy: position))
                    let value = try? parse("[\"\(text)\",1]")
                    #expect((value != nil) == ok, "\(text.debugDescription)")
                    let plain = text.replacing("\\n", with: "\n").replacing("\\\"", with: "\"")
                    if ok { #expect(value?.array?.first == .string(plain)) }
                }
            }
        }
    }

    @Test(
        arguments: [
            [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF0, 0x80, 0x80, 0x80],
            [0xF4, 0x90, 0x80, 0x80],
            [0xF5, 0x80, 0x80, 0x80], [0x80], [0xC3], [0xE2, 0x82], [0xFF], [0xFE],
        ] as [[UInt8]])
    func invalidUTF8IsRefused(_ bytes: [UInt8]) {
        let quote = [UInt8(ascii: "\"")]
        #expect(throws: JSONError.self) { try parse(quote + bytes + quote) }
        #expect(throws: JSONError.self) { try parse(quote + Array("\\n".utf8) + bytes + quote) }
        #expect(throws: JSONError.self) { try parse(Array("{".utf8) + quote + bytes + quote + Array(":1}".utf8)) }
        #expect(throws: JSONError.self) { try parse(bytes) }
    }

    @Test func byteOrderMarkAndBlanksAreSkipped() throws {
        #expect(try parse([0xEF, 0xBB, 0xBF] + Array(" {} ".utf8)) == [:])
        #expect(try parse("\t\r\n [ 1 , 2 ] \n") == [1, 2])
    }

    @Test func nestingIsLimited() throws {
        func nested(_ count: Int, _ open: String, _ close: String) -> String {
            String(repeating: open, count: count) + "1" + String(repeating: close, count: count)
        }
        #expect(throws: Never.self) { try parse(nested(512, "[", "]")) }
        #expect(throws: Never.self) { try parse(nested(512, "{\"a\":", "}")) }
        #expect(throws: JSONError.self) { try parse(nested(513, "[", "]")) }
        #expect(throws: JSONError.self) { try parse(nested(1_000_000, "[", "]")) }
        #expect(throws: JSONError.self) { try parse(String(repeating: "{\"a\":", count: 1_000_000)) }
        // Depth counts what is open, not what was.
        #expect(try parse("[" + repeatElement("[[]]", count: 1000).joined(separator: ",") + "]").array?.count == 1000)
    }

    @Test func nonFiniteNumbersOnlyWhereAllowed() throws {
        let text = "[NaN,Infinity,-Infinity,-1]"
        let value = try JSONReader.read(text) { reader in
            reader.acceptsNonFiniteNumbers = true
            return try reader.value()
        }
        let numbers = try #require(value.array).compactMap(\.double)
        #expect(numbers[0].isNaN && Array(numbers[1...]) == [.infinity, -.infinity, -1])
        #expect(throws: JSONError.self) { try parse(text) }
    }

    @Test func errorsTellTheOffset() {
        let error = #expect(throws: JSONError.self) { try parse(#"{"a":[1,2,x]}"#) }
        #expect(error?.offset == 10)
        #expect(error?.description == "invalid JSON at byte 10: expected a value")
    }

    @Test func bytesOfStringsNeedNoCopy() throws {
        try JSONReader.read(#"["plain","é","a\nb"]"#) { reader in
            try reader.beginArray()
            var isFirst = true
            var seen: [([UInt8], Bool)] = []
            while try reader.nextElement(isFirst: &isFirst) {
                seen.append(try reader.withStringBytes { (Array($0), $1) })
            }
            #expect(seen.map(\.0) == ["plain", "é", "a\nb"].map { Array($0.utf8) })
            #expect(seen[0].1 && !seen[1].1)
        }
    }

    @Test func stringsAndKeysGoIntoBuffers() throws {
        try JSONReader.read(#"{"k\u00e9y" : "välue", "":"a\/b"}"#) { reader in
            var (buffer, isFirst) = ([UInt8](), true)
            var seen: [String] = []
            try reader.beginObject()
            while try reader.nextKey(isFirst: &isFirst, into: &buffer) {
                seen.append(String(decoding: buffer, as: UTF8.self))
                try reader.string(into: &buffer)
                seen.append(String(decoding: buffer, as: UTF8.self))
            }
            try reader.finish()
            #expect(seen == ["kéy", "välue", "", "a/b"])
        }
    }

    @Test func rawValuesArePassedOverAndReadLater() throws {
        let text = #"[ {"a":"]}\"\\","b":[1,{}]} , "x" , 12 ]"#
        try JSONReader.read(text) { reader in
            var isFirst = true
            try reader.beginArray()
            var starts: [Int] = []
            while try reader.nextElement(isFirst: &isFirst) {
                _ = try reader.peek()
                starts.append(reader.offset)
                try reader.skipRawValue()
            }
            try reader.finish()
            #expect(starts == [2, 30, 36])
        }
        var copy = text
        let value = try copy.withUTF8 { bytes in
            var reader = JSONReader(bytes, startingAt: 2)
            return try reader.value()
        }
        #expect(value["b"] == [1, [:]])
        for broken in ["[", "[\"", "[\"\\", "{\"a", "[[]", "[\"\\\""] {
            #expect(throws: JSONError.self) { try JSONReader.read(broken) { reader in try reader.skipRawValue() } }
        }
    }

    @Test(.enabled(if: ProcessInfo.processInfo.environment["MARTLET_DATA"] != nil))
    func jsonTestSuite() throws {
        let root = try #require(ProcessInfo.processInfo.environment["MARTLET_DATA"])
        let suite = try Fixtures.json(path: root + "/structured/json_parsing.json")
        let cases = try #require(suite["cases"]?.array)
        #expect(cases.count > 200)
        for item in cases {
            let name = item["name"]?.string ?? "?"
            let data = try #require(Data(base64Encoded: item["bytes_base64"]?.string ?? "?"))
            let value = try? parse([UInt8](data))
            switch item["expect"]?.string {
            case "accept": #expect(value != nil, "\(name)")
            case "reject": #expect(value == nil, "\(name)")
            default: break
            }
            guard let value else { continue }
            #expect(try JSONValue(parsing: value.compactText).compactText == value.compactText, "\(name)")
        }
    }
}

@Suite struct JSONValueTests {
    @Test func objectsKeepOrderAndTheLastOfDuplicates() throws {
        for count in [2, 11, 12, 13, 14, 100] {
            let keys = (0..<count).map { "key\($0 * 7919 % count)" }
            let text = "{" + (keys + keys).enumerated().map { "\"\($1)\":\($0)" }.joined(separator: ",") + "}"
            let object = try #require(try JSONValue(parsing: text).object)
            #expect(object.keys == keys.reduce(into: []) { if !$0.contains($1) { $0.append($1) } })
            for (position, key) in keys.enumerated() { #expect(object[key] == .int(count + position)) }
            #expect(object["other"] == nil)
        }
    }

    @Test func objectsCanBeEdited() {
        for count in [3, 12, 13, 50] {
            var object = JSONObject((0..<count).map { ("k\($0)", .int($0)) })
            object["k1"] = nil
            object["k1"] = nil
            object["k2"] = "two"
            object["new"] = true
            #expect(object.count == count)
            #expect(object.keys.last == "new" && !object.keys.contains("k1"))
            #expect(object["k2"] == "two" && object["k0"] == 0 && object["k1"] == nil)
            #expect(object == JSONObject(Array(object).reversed().map { ($0.key, $0.value) }))
        }
    }

    @Test func spellingsOfACharacterAreDifferent() throws {
        for filler in [0, 20] {
            let more = (0..<filler).map { ",\"f\($0)\":0" }.joined()
            let object = try #require(try JSONValue(parsing: "{\"\u{E9}\":1,\"e\u{301}\":2\(more)}").object)
            #expect(object.count == 2 + filler)
            #expect(object["\u{E9}"] == 1 && object["e\u{301}"] == 2)
        }
        #expect(JSONValue.string("\u{E9}") != .string("e\u{301}"))
    }

    @Test func accessorsTellKinds() {
        #expect(JSONValue.int(3).double == 3 && JSONValue.double(3).int == 3)
        #expect(
            JSONValue.double(3.5).int == nil && JSONValue.double(.infinity).int == nil
                && JSONValue.double(1e300).int == nil)
        #expect(JSONValue.string("1").int == nil && JSONValue.bool(true).int == nil && JSONValue.null.bool == nil)
        #expect((["a": [1, nil]] as JSONValue)["a"]?.array == [1, nil])
        #expect(([1] as JSONValue)["a"] == nil)
        #expect(JSONValue.double(.nan) != .double(.nan) && JSONValue.int(1) != .double(1))
    }
}

@Suite struct JSONWriterTests {
    @Test func writesCompactText() {
        let value: JSONValue = ["a": [1, -2.5, true, nil, "é😀"], "b": [:], "c": [], "d": 1e300]
        #expect(value.compactText == #"{"a":[1,-2.5,true,null,"é😀"],"b":{},"c":[],"d":1e+300}"#)
        #expect(JSONValue.double(.nan).compactText == "null")
        #expect(JSONValue.double(.infinity).compactText == "null")
    }

    @Test func escapesWhatMustBeEscaped() throws {
        let text = String(String.UnicodeScalarView((0..<0x250).compactMap { UnicodeScalar($0) }))
        let written = JSONValue.string(text).compactText
        #expect(written.hasPrefix(#""\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\b\t\n\u000b\f\r\u000e"#))
        #expect(written.contains(#"\u001f !\"#) && written.contains(#"[\\]"#))
        #expect(try JSONValue(parsing: written) == .string(text))
    }

    @Test(arguments: 0..<20 as Range<UInt64>) func randomTreesSurviveWriting(_ seed: UInt64) throws {
        var generator = SplitMix(state: seed)
        for _ in 0..<50 {
            let tree = generator.tree(depth: 4)
            #expect(try JSONValue(parsing: tree.compactText) == tree, "seed \(seed)")
        }
    }
}

/// A small seeded generator (splitmix64), the same on every machine.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }

    mutating func text() -> String {
        let scalars = (0..<Int.random(in: 0..<20, using: &self)).compactMap { _ in
            UnicodeScalar(UInt32.random(in: 0..<(Bool.random(using: &self) ? 0x80 : 0x11_0000), using: &self))
        }
        return String(String.UnicodeScalarView(scalars))
    }

    mutating func tree(depth: Int) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 7 : 5), using: &self) {
        case 0: .null
        case 1: .bool(Bool.random(using: &self))
        case 2: .int(Int(truncatingIfNeeded: next()))
        case 3: .double(Double.random(in: -1e10...1e10, using: &self) * 0.37)
        case 4: .string(text())
        case 5: .array((0..<Int.random(in: 0..<6, using: &self)).map { _ in tree(depth: depth - 1) })
        default:
            .object(
                JSONObject((0..<Int.random(in: 0..<20, using: &self)).map { _ in (text(), tree(depth: depth - 1)) }))
        }
    }
}
