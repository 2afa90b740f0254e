/// A counter-based random generator: the number at a position depends on the seed and the position alone.
///
/// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011). No state is carried from one
/// token to the next, so preemption, batching and speculation cannot change what a request draws.
package struct KeyedGenerator: Sendable, Equatable {
    private let key: (UInt32, UInt32)

    package init(seed: UInt64) {
        key = (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    }

    package static func == (left: KeyedGenerator, right: KeyedGenerator) -> Bool { left.key == right.key }

    /// A number in [0, 1) with 53 random bits.
    package func uniform(at position: Int) -> Double {
        let block = block(UInt64(bitPattern: Int64(position)))
        let bits = UInt64(block.0) << 32 | UInt64(block.1)
        return Double(bits >> 11) * 0x1p-53
    }

    /// Four words for one counter value.
    package func block(_ counter: UInt64) -> (UInt32, UInt32, UInt32, UInt32) {
        var words = (
            UInt32(truncatingIfNeeded: counter), UInt32(truncatingIfNeeded: counter >> 32), UInt32(0), UInt32(0)
        )
        var key = key
        for _ in 0..<10 {
            let first = UInt64(words.0) * 0xD251_1F53
            let second = UInt64(words.2) * 0xCD9E_8D57
            words = (
                UInt32(second >> 32) ^ words.1 ^ key.0, UInt32(truncatingIfNeeded: second),
                UInt32(first >> 32) ^ words.3 ^ key.1, UInt32(truncatingIfNeeded: first)
            )
            key = (key.0 &+ 0x9E37_79B9, key.1 &+ 0xBB67_AE85)
        }
        return words
    }
}
