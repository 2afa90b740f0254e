/// GPT-2's reversible mapping between bytes and 256 printable scalars (`bytes_to_unicode` of openai/gpt-2).
enum ByteAlphabet {
    /// U+0100 + n for the n-th byte that has no printable scalar of its own, the byte's value otherwise.
    private static let scalars: [UInt32] = {
        var next: UInt32 = 0x100
        return (0..<256).map { byte in
            let isPrintable = (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || byte >= 0xAE
            if isPrintable { return UInt32(byte) }
            defer { next += 1 }
            return next
        }
    }()

    private static let bytes: [Int16] = {
        var table = [Int16](repeating: -1, count: 0x180)
        for (byte, scalar) in scalars.enumerated() { table[Int(scalar)] = Int16(byte) }
        return table
    }()

    static func scalar(of byte: UInt8) -> UInt32 { scalars[Int(byte)] }

    /// The byte that `scalar` stands for, or nil when it is not in the alphabet.
    static func byte(of scalar: UInt32) -> UInt8? {
        guard scalar < 0x180, bytes[Int(scalar)] >= 0 else { return nil }
        return UInt8(bytes[Int(scalar)])
    }

    /// The bytes that a text spells in the alphabet, or nil when one of its scalars is outside of it.
    static func bytes(spelledBy text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        guard let base = text.baseAddress else { return [] }
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var position = 0
        while position < text.count {
            let (scalar, next) = UTF8Scalars.decode(base, position)
            guard let byte = byte(of: scalar) else { return nil }
            result.append(byte)
            position = next
        }
        return result
    }

    /// UTF-8 of the scalars that stand for `bytes`.
    static func spell(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        for byte in bytes { UTF8Scalars.append(scalar(of: byte), to: &result) }
        return result
    }
}
