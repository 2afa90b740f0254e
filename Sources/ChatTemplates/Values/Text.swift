/// A string as Python sees one: a sequence of Unicode scalars, compared scalar by scalar; held as UTF-8.
///
/// Swift's `String` compares by canonical equivalence and counts grapheme clusters, so it cannot stand in for it.
/// Positions are scalar positions: O(1) in ASCII text, O(n) otherwise.
struct Text: Sendable {
    let bytes: [UInt8]
    let isASCII: Bool

    static let empty = Text(ascii: [])

    init(_ string: String) { self.init(utf8: Array(string.utf8)) }

    /// `bytes` must be valid UTF-8.
    init(utf8 bytes: [UInt8]) {
        self.bytes = bytes
        isASCII = bytes.allSatisfy { $0 < 0x80 }
    }

    init(utf8 bytes: ArraySlice<UInt8>) { self.init(utf8: Array(bytes)) }

    init(ascii bytes: [UInt8]) {
        self.bytes = bytes
        isASCII = true
    }

    private init(bytes: [UInt8], isASCII: Bool) {
        self.bytes = bytes
        self.isASCII = isASCII
    }

    init(scalars: some Sequence<Unicode.Scalar>) {
        var bytes: [UInt8] = []
        for scalar in scalars { bytes.append(scalar) }
        self.init(utf8: bytes)
    }

    var string: String { String(decoding: bytes, as: UTF8.self) }
    var isEmpty: Bool { bytes.isEmpty }

    /// The number of scalars.
    var count: Int { isASCII ? bytes.count : bytes.reduce(0) { $1 & 0xC0 == 0x80 ? $0 : $0 + 1 } }

    var scalars: String.UnicodeScalarView { string.unicodeScalars }

    static func + (left: Text, right: Text) -> Text {
        if left.isEmpty { return right }
        if right.isEmpty { return left }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(left.bytes.count + right.bytes.count)
        bytes.append(contentsOf: left.bytes)
        bytes.append(contentsOf: right.bytes)
        return Text(bytes: bytes, isASCII: left.isASCII && right.isASCII)
    }

    // MARK: Positions

    /// The byte position of the scalar at `position`, which must lie within `0...count`.
    func byteOffset(of position: Int) -> Int {
        if isASCII { return position }
        var remaining = position
        var offset = 0
        while offset < bytes.count {
            if bytes[offset] & 0xC0 != 0x80 {
                if remaining == 0 { return offset }
                remaining -= 1
            }
            offset += 1
        }
        return offset
    }

    /// The scalar position of the byte at `offset`.
    func position(ofByte offset: Int) -> Int {
        isASCII ? offset : bytes[..<offset].reduce(0) { $1 & 0xC0 == 0x80 ? $0 : $0 + 1 }
    }

    /// The scalars from `start` up to `end`, both within `0...count`.
    func slice(_ start: Int, _ end: Int) -> Text {
        guard start < end else { return .empty }
        let from = byteOffset(of: start)
        if isASCII { return Text(ascii: Array(bytes[from..<end])) }
        return Text(utf8: bytes[from..<byteOffset(of: end)])
    }

    func slice(bytes range: Range<Int>) -> Text {
        if range.count == bytes.count { return self }
        return isASCII ? Text(ascii: Array(bytes[range])) : Text(utf8: bytes[range])
    }

    /// Each scalar as a text of its own.
    var characters: [Text] {
        if isASCII { return bytes.map { Text(ascii: [$0]) } }
        return scalars.map { Text(scalars: CollectionOfOne($0)) }
    }

    // MARK: Search

    /// The byte position of the first occurrence of `needle` at or after byte `start`. Linear time.
    func firstByte(of needle: Text, from start: Int = 0) -> Int? {
        Text.find(needle.bytes, in: bytes, from: start)
    }

    func contains(_ needle: Text) -> Bool { firstByte(of: needle) != nil }

    func hasPrefix(_ prefix: Text) -> Bool { bytes.starts(with: prefix.bytes) }

    func hasSuffix(_ suffix: Text) -> Bool {
        bytes.count >= suffix.bytes.count && bytes[(bytes.count - suffix.bytes.count)...].elementsEqual(suffix.bytes)
    }

    /// The byte position of the last occurrence of `needle` that ends at or before byte `end`. Linear time.
    func lastByte(of needle: Text, before end: Int) -> Int? {
        guard needle.bytes.count <= end else { return nil }
        let reversed = Array(bytes[..<end].reversed())
        guard let found = Text.find(Array(needle.bytes.reversed()), in: reversed, from: 0) else { return nil }
        return end - found - needle.bytes.count
    }

    /// Linear time, also for hostile text: long needles are searched by Knuth, Morris and Pratt's method.
    static func find(_ needle: [UInt8], in haystack: [UInt8], from start: Int) -> Int? {
        guard start >= 0, start + needle.count <= haystack.count else { return nil }
        guard let first = needle.first else { return start }
        if needle.count > 32 { return findLong(needle, in: haystack, from: start) }
        return haystack.withUnsafeBufferPointer { hay in
            needle.withUnsafeBufferPointer { pin in
                var position = start
                while position <= hay.count - pin.count {
                    if hay[position] == first {
                        var matched = 1
                        while matched < pin.count, hay[position + matched] == pin[matched] { matched += 1 }
                        if matched == pin.count { return position }
                    }
                    position += 1
                }
                return nil
            }
        }
    }

    private static func findLong(_ needle: [UInt8], in haystack: [UInt8], from start: Int) -> Int? {
        haystack.withUnsafeBufferPointer { hay in
            needle.withUnsafeBufferPointer { pin in
                withUnsafeTemporaryAllocation(of: Int.self, capacity: pin.count) { borders in
                    borders.initialize(repeating: 0)
                    var length = 0
                    for position in 1..<pin.count {
                        while length > 0, pin[position] != pin[length] { length = borders[length - 1] }
                        if pin[position] == pin[length] { length += 1 }
                        borders[position] = length
                    }
                    length = 0
                    for position in start..<hay.count {
                        while length > 0, hay[position] != pin[length] { length = borders[length - 1] }
                        if hay[position] == pin[length] { length += 1 }
                        if length == pin.count { return position + 1 - length }
                    }
                    return nil
                }
            }
        }
    }
}

extension [UInt8] {
    /// Appends the UTF-8 of `scalar`.
    mutating func append(_ scalar: Unicode.Scalar) {
        for unit in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter { append(unit) }
    }
}

extension Text: Hashable, Comparable {
    static func == (left: Text, right: Text) -> Bool { left.bytes == right.bytes }
    /// UTF-8 orders as the scalars do.
    static func < (left: Text, right: Text) -> Bool { left.bytes.lexicographicallyPrecedes(right.bytes) }
    func hash(into hasher: inout Hasher) { hasher.combine(bytes) }
}

extension Text: ExpressibleByStringLiteral {
    init(stringLiteral value: String) { self.init(value) }
}
