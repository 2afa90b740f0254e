/// The tokens of a model in flat memory: one arena of bytes, offsets, and an open-addressing hash over them.
///
/// In a byte-level vocabulary the tokens are kept as the bytes that they stand for; a token with a scalar outside the
/// byte alphabet can never be matched there and is kept as literal text beside them. Look-ups are O(length).
final class Vocabulary: Sendable {
    let form: TextForm
    /// One more than the largest id.
    let idLimit: Int
    /// Number of tokens.
    let count: Int
    /// Longest token in bytes.
    let longest: Int

    private let arena: FlatBuffer<UInt8>
    private let entries: FlatBuffer<VocabularyEntry>
    private let entryOfID: FlatBuffer<Int32>
    private let table: FlatBuffer<UInt64>
    private let tableMask: Int

    /// Largest id that is accepted, so that a hostile file cannot ask for gigabytes of index.
    static let maximumID = 1 << 22

    init(_ builder: consuming VocabularyBuilder, form: TextForm) throws(TokenizerError) {
        self.form = form
        count = builder.entries.count
        let limit = Int(builder.entries.lazy.map(\.id).max() ?? -1) + 1
        idLimit = limit
        arena = FlatBuffer(builder.arena, padding: ByteBuffer.padding, with: 0)
        entries = FlatBuffer(builder.entries, with: VocabularyEntry(start: 0, length: 0, isLiteral: false, id: -1))
        longest = builder.longest
        let slots = max(16, (builder.entries.count * 2).nextPowerOfTwo)
        table = FlatBuffer(repeating: 0, count: slots)
        tableMask = slots - 1
        entryOfID = FlatBuffer(repeating: -1, count: limit)
        for entry in 0..<count { try index(entry, field: builder.field) }
    }

    /// Enters one token; of two equal tokens the later one counts, as in a JSON object.
    private func index(_ entry: Int, field: String) throws(TokenizerError) {
        let own = entries.base[entry]
        let bytes = arena.base + Int(own.start)
        let length = Int(own.length)
        let hash = Self.hash(bytes, length, isLiteral: own.isLiteral)
        var slot = Int(hash) & tableMask
        while table.base[slot] != 0 {
            let other = Int(table.base[slot] & 0xFFFF_FFFF) - 1
            let known = entries.base[other]
            if table.base[slot] >> 32 == UInt64(hash), equals(known, bytes, length, own.isLiteral) {
                entryOfID.base[Int(known.id)] = -1
                break
            }
            slot = (slot + 1) & tableMask
        }
        let id = Int(own.id)
        guard entryOfID.base[id] < 0 else {
            throw TokenizerError(
                field, "the id \(id) is given to two tokens, \(text(Int(entryOfID.base[id]))) and \(text(entry))")
        }
        entryOfID.base[id] = Int32(entry)
        table.base[slot] = UInt64(hash) << 32 | UInt64(entry + 1)
    }

    /// FNV-like over eight bytes at a time; reads up to 7 bytes past the end, which padded buffers allow.
    @inline(__always)
    static func hash(_ bytes: UnsafePointer<UInt8>, _ count: Int, isLiteral: Bool) -> UInt32 {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(truncatingIfNeeded: count)
        if isLiteral { state = ~state }
        var position = 0
        let raw = UnsafeRawPointer(bytes)
        while position + 8 <= count {
            let word = raw.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            state = (state ^ word) &* 0xD6E8_FEB8_6659_FD93
            state ^= state >> 32
            position += 8
        }
        if position < count {
            let word = raw.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            let rest = UInt64(truncatingIfNeeded: (count - position) * 8)
            state = (state ^ (word & ((1 &<< rest) &- 1))) &* 0xD6E8_FEB8_6659_FD93
            state ^= state >> 32
        }
        state = state &* 0xD6E8_FEB8_6659_FD93
        return UInt32(truncatingIfNeeded: state >> 32)
    }

    @inline(__always)
    private func equals(_ entry: VocabularyEntry, _ bytes: UnsafePointer<UInt8>, _ count: Int, _ literal: Bool) -> Bool
    {
        guard Int(entry.length) == count, entry.isLiteral == literal else { return false }
        let own = UnsafeRawPointer(arena.base + Int(entry.start))
        let other = UnsafeRawPointer(bytes)
        var position = 0
        while position &+ 8 <= count {
            let left = own.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            if left != other.loadUnaligned(fromByteOffset: position, as: UInt64.self) { return false }
            position &+= 8
        }
        if position == count { return true }
        // Both sides are readable past their ends; what lies there does not count.
        let left = own.loadUnaligned(fromByteOffset: position, as: UInt64.self)
        let right = other.loadUnaligned(fromByteOffset: position, as: UInt64.self)
        let excess = UInt64(truncatingIfNeeded: 64 &- (count &- position) &* 8)
        return (left.littleEndian ^ right.littleEndian) &<< excess == 0
    }

    /// The id of a token given in the vocabulary's form; `bytes` must be readable 7 bytes past its end.
    @inline(__always)
    func id(_ bytes: UnsafePointer<UInt8>, _ count: Int, isLiteral: Bool = false) -> Int32? {
        guard count <= longest else { return nil }
        let hash = Self.hash(bytes, count, isLiteral: isLiteral)
        var slot = Int(hash) & tableMask
        while true {
            let value = table.base[slot]
            if value == 0 { return nil }
            if value >> 32 == UInt64(hash) {
                let entry = entries.base[Int(value & 0xFFFF_FFFF) - 1]
                if equals(entry, bytes, count, isLiteral) { return entry.id }
            }
            slot = (slot + 1) & tableMask
        }
    }

    /// The id of a token spelled as in the file.
    func id(ofText text: String) -> Int32? {
        var text = text
        return text.withUTF8 { utf8 in
            if form == .byteLevel, let raw = ByteAlphabet.bytes(spelledBy: utf8) {
                return id(raw, isLiteral: false)
            }
            return id(Array(utf8), isLiteral: form == .byteLevel)
        }
    }

    func id(_ bytes: [UInt8], isLiteral: Bool) -> Int32? {
        (bytes + [UInt8](repeating: 0, count: 8)).withUnsafeBufferPointer { buffer in
            buffer.baseAddress.flatMap { id($0, bytes.count, isLiteral: isLiteral) }
        }
    }

    /// The bytes of a token in the vocabulary's form, and whether they are literal text; nil for an unused id.
    func bytes(of id: Int32) -> (bytes: UnsafeBufferPointer<UInt8>, isLiteral: Bool)? {
        guard id >= 0, Int(id) < idLimit, entryOfID.base[Int(id)] >= 0 else { return nil }
        let entry = entries.base[Int(entryOfID.base[Int(id)])]
        let bytes = UnsafeBufferPointer(start: arena.base + Int(entry.start), count: Int(entry.length))
        return (bytes, entry.isLiteral)
    }

    /// UTF-8 of the token as the file spells it.
    func spelling(of id: Int32) -> [UInt8]? {
        guard let (bytes, isLiteral) = bytes(of: id) else { return nil }
        return form == .byteLevel && !isLiteral ? ByteAlphabet.spell(bytes) : Array(bytes)
    }

    private func text(_ entry: Int) -> String {
        let own = entries.base[entry]
        let bytes = UnsafeBufferPointer(start: arena.base + Int(own.start), count: min(Int(own.length), 80))
        return "'" + String(decoding: bytes, as: UTF8.self) + "'"
    }
}

extension Int {
    /// The smallest power of two that is not smaller.
    var nextPowerOfTwo: Int { self <= 1 ? 1 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount) }
}
