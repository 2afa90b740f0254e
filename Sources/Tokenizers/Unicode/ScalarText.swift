/// How bytes spell scalars.
enum TextForm: Sendable {
    /// UTF-8, always valid.
    case utf8
    /// After the byte-level mapping: every byte is one scalar of GPT-2's alphabet, kept as the byte it stands for.
    case byteLevel
}

/// Valid bytes in one of the two forms, read scalar by scalar. The memory must outlive the value.
struct ScalarText {
    let base: UnsafePointer<UInt8>
    let count: Int
    let form: TextForm

    /// The scalar at `position` (< `count`) and where the next one starts.
    @inline(__always)
    func scalar(at position: Int) -> (value: UInt32, next: Int) {
        if form == .byteLevel { return (ByteAlphabet.scalar(of: base[position]), position + 1) }
        return UTF8Scalars.decode(base, position)
    }

    /// The scalar that ends at `position` (> 0) and where it starts.
    @inline(__always)
    func scalar(before position: Int) -> (value: UInt32, start: Int) {
        var start = position - 1
        if form == .byteLevel { return (ByteAlphabet.scalar(of: base[start]), start) }
        while start > 0, base[start] & 0xC0 == 0x80 { start -= 1 }
        return (UTF8Scalars.decode(base, start).value, start)
    }
}

/// UTF-8 coding of single scalars; input is known to be valid.
enum UTF8Scalars {
    @inline(__always)
    static func decode(_ base: UnsafePointer<UInt8>, _ position: Int) -> (value: UInt32, next: Int) {
        let first = UInt32(base[position])
        if first < 0x80 { return (first, position + 1) }
        let second = UInt32(base[position + 1] & 0x3F)
        if first < 0xE0 { return ((first & 0x1F) << 6 | second, position + 2) }
        let third = UInt32(base[position + 2] & 0x3F)
        if first < 0xF0 { return ((first & 0x0F) << 12 | second << 6 | third, position + 3) }
        let fourth = UInt32(base[position + 3] & 0x3F)
        return ((first & 0x07) << 18 | second << 12 | third << 6 | fourth, position + 4)
    }

    static func append(_ scalar: UInt32, to bytes: inout [UInt8]) {
        if scalar < 0x80 {
            bytes.append(UInt8(scalar))
        } else if scalar < 0x800 {
            bytes.append(UInt8(0xC0 | scalar >> 6))
            bytes.append(UInt8(0x80 | scalar & 0x3F))
        } else if scalar < 0x10000 {
            bytes.append(UInt8(0xE0 | scalar >> 12))
            bytes.append(UInt8(0x80 | scalar >> 6 & 0x3F))
            bytes.append(UInt8(0x80 | scalar & 0x3F))
        } else {
            bytes.append(UInt8(0xF0 | scalar >> 18 & 0x07))
            bytes.append(UInt8(0x80 | scalar >> 12 & 0x3F))
            bytes.append(UInt8(0x80 | scalar >> 6 & 0x3F))
            bytes.append(UInt8(0x80 | scalar & 0x3F))
        }
    }
}
