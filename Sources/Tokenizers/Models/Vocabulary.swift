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
    private let offsets: FlatBuffer<UInt32>
    private let isLiteral: FlatBuffer<Bool>
    private let ids: FlatBuffer<Int32>
    private let entryOfID: FlatBuffer<Int32>
    private let table: FlatBuffer<UInt64>
    private let tableMask: Int

    /// Largest id that is accepted, so that a hostile file cannot ask for gigabytes of index.
    static let maximumID = 1 << 22

    init(_ builder: consuming VocabularyBuilder, form: TextForm) throws(TokenizerError) {
        self.form = form
        count = builder.ids.count
        let limit = Int(builder.ids.max() ?? -1) + 1
        idLimit = limit
        arena = FlatBuffer(builder.arena, padding: ByteBuffer.padding, with: 0)
        offsets = FlatBuffer(builder.offsets, with: 0)
        isLiteral = FlatBuffer(builder.isLiteral, with: false)
        ids = FlatBuffer(builder.ids, with: 0)
        longest = builder.longest
        let slots = max(16, (builder.ids.count * 2).nextPowerOfTwo)
        table = FlatBuffer(repeating: 0, count: slots)
        tableMask = slots - 1
        entryOfID = FlatBuffer(repeating: -1, count: limit)
        for entry in 0..<count { try index(entry, field: builder.field) }
    }

    /// Enters one token; of two equal tokens the later one counts, as in a JSON object.
    private func index(_ entry: Int, field: String) throws(TokenizerError) {
        let start = Int(offsets.base[entry])
        let length = Int(offsets.base[entry + 1]) - start
        let hash = Self.hash(arena.base + start, length, isLiteral: isLiteral.base[entry])
        var slot = Int(hash) & tableMask
        while table.base[slot] != 0 {
            let other = Int(table.base[slot] & 0xFFFF_FFFF) - 1
            if table.base[slot] >> 32 == UInt64(hash), equals(other, arena.base + start, length, isLiteral.base[entry])
            {
                entryOfID.base[Int(ids.base[other])] = -1
                break
            }
            slot = (slot + 1) & tableMask
        }
        let id = Int(ids.base[entry])
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
    private func equals(_ entry: Int, _ bytes: UnsafePointer<UInt8>, _ count: Int, _ literal: Bool) -> Bool {
        let start = Int(offsets.base[entry])
        guard Int(offsets.base[entry + 1]) - start == count, isLiteral.base[entry] == literal else { return false }
        let own = arena.base + start
        var position = 0
        while position < count {
            if own[position] != bytes[position] { return false }
            position += 1
        }
        return true
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
                let entry = Int(value & 0xFFFF_FFFF) - 1
                if equals(entry, bytes, count, isLiteral) { return ids.base[entry] }
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
        let entry = Int(entryOfID.base[Int(id)])
        let start = Int(offsets.base[entry])
        let length = Int(offsets.base[entry + 1]) - start
        return (UnsafeBufferPointer(start: arena.base + start, count: length), isLiteral.base[entry])
    }

    /// UTF-8 of the token as the file spells it.
    func spelling(of id: Int32) -> [UInt8]? {
        guard let (bytes, isLiteral) = bytes(of: id) else { return nil }
        return form == .byteLevel && !isLiteral ? ByteAlphabet.spell(bytes) : Array(bytes)
    }

    private func text(_ entry: Int) -> String {
        let range = Int(offsets.base[entry])..<Int(offsets.base[entry + 1])
        return "'" + String(decoding: range.prefix(80).map { arena.base[$0] }, as: UTF8.self) + "'"
    }
}

/// Collects the tokens of a file before they are indexed.
struct VocabularyBuilder {
    let field: String
    private(set) var arena: [UInt8] = []
    private(set) var offsets: [UInt32] = [0]
    private(set) var isLiteral: [Bool] = []
    private(set) var ids: [Int32] = []
    private(set) var longest = 0
    private let form: TextForm

    init(field: String, form: TextForm) {
        self.field = field
        self.form = form
    }

    /// Adds a token given as the file spells it.
    mutating func append(_ token: UnsafeBufferPointer<UInt8>, id: Int) throws(TokenizerError) {
        guard id >= 0, id <= Vocabulary.maximumID else {
            let shown = String(decoding: token.prefix(80), as: UTF8.self)
            throw TokenizerError(
                field, "the token '\(shown)' has the id \(id); ids must be from 0 to \(Vocabulary.maximumID)")
        }
        guard arena.count + token.count < Int(UInt32.max) else {
            throw TokenizerError(field, "the tokens have more than 4 GiB of text")
        }
        var literal = false
        if form == .byteLevel {
            literal = !ByteAlphabet.append(bytesSpelledBy: token, to: &arena)
            if literal { arena.append(contentsOf: token) }
        } else {
            arena.append(contentsOf: token)
        }
        let start = Int(offsets.last ?? 0)
        longest = max(longest, arena.count - start)
        offsets.append(UInt32(arena.count))
        isLiteral.append(literal)
        ids.append(Int32(id))
    }
}

extension Int {
    /// The smallest power of two that is not smaller.
    var nextPowerOfTwo: Int { self <= 1 ? 1 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount) }
}
