/// The merges of a BPE model: (left id, right id) → (rank, merged id), in one open-addressing table.
final class MergeTable: Sendable {
    private struct Slot: BitwiseCopyable {
        var pair: UInt64
        var value: UInt64
    }

    private let slots: FlatBuffer<Slot>
    private let mask: Int
    let count: Int

    private static let empty = UInt64.max
    /// What `value(left:right:)` returns for a pair that does not merge; larger than any value.
    static let none = UInt64.max

    /// `merges` in order of rank; of two equal pairs the later one counts.
    init(_ merges: [(left: Int32, right: Int32, merged: Int32)]) {
        let capacity = Swift.max(16, (merges.count * 2).nextPowerOfTwo)
        mask = capacity - 1
        count = merges.count
        slots = FlatBuffer(repeating: Slot(pair: Self.empty, value: Self.none), count: capacity)
        for (rank, merge) in merges.enumerated() {
            let pair = Self.pair(merge.left, merge.right)
            var slot = Self.hash(pair) & mask
            while slots.base[slot].pair != Self.empty, slots.base[slot].pair != pair { slot = (slot + 1) & mask }
            slots.base[slot] = Slot(pair: pair, value: UInt64(rank) << 32 | UInt64(UInt32(bitPattern: merge.merged)))
        }
    }

    @inline(__always)
    private static func pair(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    @inline(__always)
    private static func hash(_ pair: UInt64) -> Int {
        let product = pair &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: product >> 32 ^ product >> 13)
    }

    /// Rank in the upper and merged id in the lower 32 bits, or `none`.
    @inline(__always)
    func value(_ left: Int32, _ right: Int32) -> UInt64 {
        let pair = Self.pair(left, right)
        var slot = Self.hash(pair) & mask
        while true {
            let candidate = slots.base[slot]
            if candidate.pair == pair { return candidate.value }
            if candidate.pair == Self.empty { return Self.none }
            slot = (slot + 1) & mask
        }
    }
}
