/// What the keys and values of one position were computed from, besides the positions before it.
///
/// Two positions with equal keys and equal predecessors under one root have equal K/V, bit for bit; so the cache may give
/// one sequence what another computed.
package struct PositionKey: Hashable, Sendable {
    /// A token id, or an element of an embedding: see `embedding(_:offset:)`.
    package let input: UInt64
    /// The weights that were active: 0 for the base model, else a number that stands for one digest of adapters and
    /// scales as long as the process lives.
    package let state: UInt64

    package init(token: Int32, state: UInt64 = 0) {
        input = UInt64(UInt32(bitPattern: token))
        self.state = state
    }

    /// Element `offset` of an embedding (an image, a soft prompt); `content` stands for its digest as long as the
    /// process lives, and is below 2³⁹, more than a server can ever see; offsets are below 2²⁴.
    package static func embedding(_ content: UInt64, offset: Int, state: UInt64 = 0) -> PositionKey {
        PositionKey(input: 1 << 63 | content << 24 | UInt64(offset), state: state)
    }

    private init(input: UInt64, state: UInt64) {
        self.input = input
        self.state = state
    }

    static func < (left: PositionKey, right: PositionKey) -> Bool {
        left.input == right.input ? left.state < right.state : left.input < right.input
    }
}

/// What stands before the first position: sequences with different roots never share anything.
package struct RootKey: Hashable, Sendable {
    /// The request's `cache_salt`: only requests with the same one share.
    package var salt: String?
    /// Keys and values that nothing computed: see `SequenceKeys.prefix`.
    package var prefix: PrefixID?

    package init(salt: String? = nil, prefix: PrefixID? = nil) {
        self.salt = salt
        self.prefix = prefix
    }
}
