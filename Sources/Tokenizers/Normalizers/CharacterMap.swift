/// SentencePiece's compiled normalisation rules: a double array of prefixes and the texts that replace them.
///
/// The file's bytes are untrusted: every index is checked.
struct CharacterMap: Sendable {
    private let units: [UInt32]
    private let replacements: [UInt8]

    /// `base64`: little-endian size of the array in bytes, the array, then zero-terminated texts.
    init(_ field: Field) throws(TokenizerError) {
        guard let bytes = Self.decode(base64: Array(try field.string().utf8)) else {
            throw field.fail("not valid base64")
        }
        guard bytes.count >= 4 else { throw field.fail("the map is shorter than its header") }
        let size = (0..<4).reduce(0) { $0 | Int(bytes[$1]) << (8 * $1) }
        guard size % 4 == 0, size <= bytes.count - 4 else {
            throw field.fail("the map says it has \(size) bytes of array, of \(bytes.count - 4) that are there")
        }
        units = stride(from: 4, to: 4 + size, by: 4).map { start in
            (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + $1]) << UInt32(8 * $1) }
        }
        replacements = Array(bytes[(4 + size)...])
    }

    private static func decode(base64 text: [UInt8]) -> [UInt8]? {
        var result: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in text where byte != UInt8(ascii: "=") {
            let value: UInt8
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = byte - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = byte - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = byte - UInt8(ascii: "0") + 52
            case UInt8(ascii: "+"): value = 62
            case UInt8(ascii: "/"): value = 63
            default: return nil
            }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                result.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return result
    }

    private static func offset(_ unit: UInt32) -> Int { Int((unit >> 10) << ((unit & 1 << 9) >> 6)) }

    /// The replacement of the shortest known prefix of `bytes`, or nil when there is none.
    private func replacement(_ bytes: UnsafeBufferPointer<UInt8>) -> ArraySlice<UInt8>? {
        guard var unit = units.first else { return nil }
        var node = Self.offset(unit)
        for byte in bytes {
            if byte == 0 { return nil }
            node ^= Int(byte)
            guard node < units.count else { return nil }
            unit = units[node]
            guard unit & (1 << 31 | 0xFF) == UInt32(byte) else { return nil }
            node ^= Self.offset(unit)
            guard unit >> 8 & 1 == 1 else { continue }
            guard node < units.count else { return nil }
            let start = Int(units[node] & 0x7FFF_FFFF)
            guard start <= replacements.count else { return nil }
            return replacements[start...].prefix { $0 != 0 }
        }
        return nil
    }

    /// Rewrites the text by grapheme clusters of fewer than 6 bytes, and by scalars where that finds nothing.
    func apply(to segment: SegmentSpace) {
        segment.otherText.removeAll()
        let bytes = UnsafeBufferPointer(start: segment.text.base, count: segment.text.count)
        var position = 0
        for cluster in String(decoding: bytes, as: UTF8.self) {
            let count = cluster.utf8.count
            let part = UnsafeBufferPointer(rebasing: bytes[position..<position + count])
            if count < 6, let replacement = replacement(part) {
                append(replacement, to: segment)
            } else {
                appendScalars(part, to: segment)
            }
            if position == 0, segment.otherText.count == 0 { segment.startsAtOrigin = false }
            position += count
        }
        segment.swapText()
    }

    private func append(_ bytes: ArraySlice<UInt8>, to segment: SegmentSpace) {
        for byte in bytes { segment.otherText.append(byte) }
    }

    private func appendScalars(_ part: UnsafeBufferPointer<UInt8>, to segment: SegmentSpace) {
        guard let base = part.baseAddress else { return }
        var position = 0
        while position < part.count {
            let next = UTF8Scalars.decode(base, position).next
            let scalar = UnsafeBufferPointer(rebasing: part[position..<next])
            if let replacement = replacement(scalar) {
                append(replacement, to: segment)
            } else {
                segment.otherText.append(base + position, count: next - position)
            }
            position = next
        }
    }

    /// Whether every replacement is valid UTF-8 on its own, which the rest of the pipeline relies on.
    var isWellFormed: Bool {
        replacements.split(separator: 0).allSatisfy { String(validating: $0, as: UTF8.self) != nil }
    }
}
