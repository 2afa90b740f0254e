/// Builds a `ByteTrie`: nodes are numbers, edges a hash from (node, byte) to node.
struct ByteTrieBuilder {
    fileprivate var edges = [UInt64](repeating: 0, count: 1 << 10)
    fileprivate var values: [Int32] = [-1]
    private var edgeCount = 0

    /// Enters a key; of two equal keys the later one counts. Keys together may have at most 2^24 bytes.
    mutating func insert(_ key: some Collection<UInt8>, value: Int32) {
        var node = ByteTrie.root
        for byte in key {
            if let child = ByteTrie.find(node, byte, in: edges) {
                node = child
                continue
            }
            guard values.count < 1 << 24 else { return }
            let child = UInt32(values.count)
            values.append(-1)
            if edgeCount * 2 >= edges.count { grow() }
            place(ByteTrie.entry(node, byte, child), in: &edges)
            edgeCount += 1
            node = child
        }
        values[Int(node)] = value
    }

    private func place(_ entry: UInt64, in table: inout [UInt64]) {
        let mask = table.count - 1
        var slot = ByteTrie.hash(UInt32(truncatingIfNeeded: entry >> 32)) & mask
        while table[slot] != 0 { slot = (slot + 1) & mask }
        table[slot] = entry
    }

    private mutating func grow() {
        var larger = [UInt64](repeating: 0, count: edges.count * 2)
        for entry in edges where entry != 0 { place(entry, in: &larger) }
        edges = larger
    }
}

/// A set of byte strings with values, walked byte by byte; every step is one look-up in a flat table.
final class ByteTrie: Sendable {
    static let root: UInt32 = 0

    private let edges: FlatBuffer<UInt64>
    private let mask: Int
    private let values: FlatBuffer<Int32>
    /// Whether a key begins with the byte.
    private let starts: FlatBuffer<Bool>

    init(_ builder: ByteTrieBuilder) {
        edges = FlatBuffer(builder.edges, with: 0)
        mask = builder.edges.count - 1
        values = FlatBuffer(builder.values, with: -1)
        starts = FlatBuffer(repeating: false, count: 256)
        for byte in 0..<256 {
            starts.base[byte] = Self.find(Self.root, UInt8(byte), in: builder.edges) != nil
        }
    }

    @inline(__always)
    func isStart(_ byte: UInt8) -> Bool { starts.base[Int(byte)] }

    @inline(__always)
    func child(of node: UInt32, _ byte: UInt8) -> UInt32? {
        let key = node &<< 8 | UInt32(byte)
        var slot = Self.hash(key) & mask
        while true {
            let entry = edges.base[slot]
            if entry == 0 { return nil }
            if UInt32(truncatingIfNeeded: entry >> 32) == key { return UInt32(truncatingIfNeeded: entry) }
            slot = (slot &+ 1) & mask
        }
    }

    /// The value of the key that ends at `node`, or -1.
    @inline(__always)
    func value(of node: UInt32) -> Int32 { values.base[Int(node)] }

    /// The longest key that begins at `start`.
    @inline(__always)
    func longestMatch(_ base: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> (value: Int32, end: Int)? {
        var best: (value: Int32, end: Int)?
        var node = Self.root
        var position = start
        while position < end, let child = child(of: node, base[position]) {
            node = child
            position &+= 1
            let value = value(of: node)
            if value >= 0 { best = (value, position) }
        }
        return best
    }

    @inline(__always)
    fileprivate static func hash(_ key: UInt32) -> Int {
        let product = UInt64(key) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: product >> 32 ^ product >> 15)
    }

    /// Never 0, as no edge leads to the root.
    fileprivate static func entry(_ node: UInt32, _ byte: UInt8, _ child: UInt32) -> UInt64 {
        UInt64(node << 8 | UInt32(byte)) << 32 | UInt64(child)
    }

    fileprivate static func find(_ node: UInt32, _ byte: UInt8, in edges: [UInt64]) -> UInt32? {
        let key = node << 8 | UInt32(byte)
        let mask = edges.count - 1
        var slot = hash(key) & mask
        while edges[slot] != 0 {
            if UInt32(truncatingIfNeeded: edges[slot] >> 32) == key { return UInt32(truncatingIfNeeded: edges[slot]) }
            slot = (slot + 1) & mask
        }
        return nil
    }
}
