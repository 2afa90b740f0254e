/// GPT-2's reversible mapping between bytes and 256 printable scalars (`bytes_to_unicode` of openai/gpt-2).
enum ByteAlphabet {
    /// U+0100 + n for the n-th byte that has no printable scalar of its own, the byte's value otherwise.
    private static let scalars: FlatBuffer<UInt32> = {
        let table = FlatBuffer<UInt32>(repeating: 0, count: 256)
        var next: UInt32 = 0x100
        for byte in 0..<256 {
            let isPrintable = (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || byte >= 0xAE
            table.base[byte] = isPrintable ? UInt32(byte) : next
            if !isPrintable { next += 1 }
        }
        return table
    }()

    private static let bytes: FlatBuffer<Int16> = {
        let table = FlatBuffer<Int16>(repeating: -1, count: 0x180)
        for byte in 0..<256 { table.base[Int(scalars.base[byte])] = Int16(byte) }
        return table
    }()

    static func scalar(of byte: UInt8) -> UInt32 { scalars.base[Int(byte)] }

    /// The byte that `scalar` stands for, or nil when it is not in the alphabet.
    static func byte(of scalar: UInt32) -> UInt8? {
        guard scalar < 0x180, bytes.base[Int(scalar)] >= 0 else { return nil }
        return UInt8(truncatingIfNeeded: bytes.base[Int(scalar)])
    }

    /// The bytes that a text spells in the alphabet, or nil when one of its scalars is outside of it.
    static func bytes(spelledBy text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        return append(bytesSpelledBy: text, to: &result) ? result : nil
    }

    /// Appends the bytes that a text spells; false, with nothing appended, when it is not written in the alphabet.
    static func append(bytesSpelledBy text: UnsafeBufferPointer<UInt8>, to output: inout [UInt8]) -> Bool {
        guard let base = text.baseAddress else { return true }
        let start = output.count
        let table = bytes.base
        var position = 0
        while position < text.count {
            let (scalar, next) = UTF8Scalars.decode(base, position)
            guard scalar < 0x180, table[Int(scalar)] >= 0 else {
                output.removeSubrange(start...)
                return false
            }
            output.append(UInt8(truncatingIfNeeded: table[Int(scalar)]))
            position = next
        }
        return true
    }

    /// UTF-8 of the scalars that stand for `bytes`.
    static func spell(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        for byte in bytes { UTF8Scalars.append(scalar(of: byte), to: &result) }
        return result
    }
}
