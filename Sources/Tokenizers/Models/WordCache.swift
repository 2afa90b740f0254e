/// Remembers the ids of short words: one 64-byte entry per slot, replaced on collision, so it never grows.
///
/// Words of natural text repeat, and one look-up here is one cache line. Belongs to one encode call at a time.
final class WordCache {
    private struct Entry: BitwiseCopyable {
        var key: (UInt64, UInt64, UInt64, UInt64)
        var length: UInt8
        var count: UInt8
        var ids: (Int32, Int32, Int32, Int32, Int32, Int32, Int32)
    }

    /// The masked bytes of one word and the slot that it belongs to.
    struct Key: BitwiseCopyable {
        fileprivate var words: (UInt64, UInt64, UInt64, UInt64)
        fileprivate var slot: Int
        fileprivate var length: UInt8
    }

    static let longestWord = 32
    static let mostIDs = 7
    private static let slotBits = 14

    private let entries: UnsafeMutablePointer<Entry>

    init() {
        let empty = Entry(key: (0, 0, 0, 0), length: 0, count: 0, ids: (0, 0, 0, 0, 0, 0, 0))
        entries = .allocate(capacity: 1 << Self.slotBits)
        entries.initialize(repeating: empty, count: 1 << Self.slotBits)
    }

    deinit { entries.deallocate() }

    /// The key of a word of 1...32 bytes, with 32 readable bytes from its start.
    @inline(__always)
    func key(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Key {
        let raw = UnsafeRawPointer(bytes)
        var words: (UInt64, UInt64, UInt64, UInt64) = (Self.load(raw, 0, count), 0, 0, 0)
        var hash = words.0
        if count > 8 {
            words.1 = Self.load(raw, 8, count)
            hash ^= words.1 &* 0xA24B_AED4_963E_E407
            if count > 16 {
                words.2 = Self.load(raw, 16, count)
                words.3 = Self.load(raw, 24, count)
                hash ^= words.2 &* 0x9FB2_1C65_1E98_DF25 ^ words.3 &* 0xD6E8_FEB8_6659_FD93
            }
        }
        hash = (hash ^ hash >> 32 ^ UInt64(truncatingIfNeeded: count)) &* 0x9E37_79B9_7F4A_7C15
        return Key(
            words: words, slot: Int(truncatingIfNeeded: hash >> UInt64(64 - Self.slotBits)),
            length: UInt8(truncatingIfNeeded: count))
    }

    @inline(__always)
    private static func load(_ raw: UnsafeRawPointer, _ offset: Int, _ count: Int) -> UInt64 {
        let rest = count - offset
        if rest <= 0 { return 0 }
        let word = raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        return rest >= 8 ? word : word & ((1 &<< UInt64(truncatingIfNeeded: rest &* 8)) &- 1)
    }

    /// Appends the remembered ids of a word; false when they are not known.
    @inline(__always)
    func append(_ key: Key, to ids: inout [Int32]) -> Bool {
        let entry = entries + key.slot
        let difference =
            (entry.pointee.key.0 ^ key.words.0) | (entry.pointee.key.1 ^ key.words.1)
            | (entry.pointee.key.2 ^ key.words.2) | (entry.pointee.key.3 ^ key.words.3)
        guard difference == 0, entry.pointee.length == key.length else { return false }
        let known = entry.pointee.ids
        let count = entry.pointee.count
        if count == 1 {
            ids.append(known.0)
            return true
        }
        withUnsafeBytes(of: known) { raw in
            for index in 0..<Int(count) { ids.append(raw.load(fromByteOffset: index &* 4, as: Int32.self)) }
        }
        return true
    }

    /// Remembers what was appended to `ids` since it had `start` elements, if it is short enough.
    @inline(__always)
    func remember(_ key: Key, _ ids: [Int32], from start: Int) {
        let count = ids.count - start
        guard count <= Self.mostIDs else { return }
        var known: (Int32, Int32, Int32, Int32, Int32, Int32, Int32) = (0, 0, 0, 0, 0, 0, 0)
        withUnsafeMutableBytes(of: &known) { raw in
            for index in 0..<count { raw.storeBytes(of: ids[start + index], toByteOffset: index &* 4, as: Int32.self) }
        }
        entries[key.slot] = Entry(
            key: key.words, length: key.length, count: UInt8(truncatingIfNeeded: count), ids: known)
    }
}
