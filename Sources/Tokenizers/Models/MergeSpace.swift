/// Scratch memory for merging one word: symbols, links and the queue of possible merges.
///
/// Grows to the longest word seen and is given back by `shrink`. Belongs to one encode call at a time.
final class MergeSpace {
    private(set) var symbols: UnsafeMutablePointer<Int32>
    private(set) var values: UnsafeMutablePointer<UInt64>
    private(set) var previous: UnsafeMutablePointer<Int32>
    private(set) var next: UnsafeMutablePointer<Int32>
    var count = 0
    private var capacity: Int

    private static let initialCapacity = 256

    init() {
        capacity = Self.initialCapacity
        symbols = .allocate(capacity: capacity)
        values = .allocate(capacity: 3 * capacity)
        previous = .allocate(capacity: capacity)
        next = .allocate(capacity: capacity)
    }

    deinit { release() }

    private func release() {
        symbols.deallocate()
        values.deallocate()
        previous.deallocate()
        next.deallocate()
    }

    /// Empties the space and makes room for `count` symbols.
    func reset(capacity needed: Int) {
        count = 0
        guard needed > capacity else { return }
        allocate(max(needed, 2 * capacity))
    }

    private func allocate(_ newCapacity: Int) {
        release()
        capacity = newCapacity
        symbols = .allocate(capacity: capacity)
        // A word of n symbols has n - 1 pairs, and each of its at most n - 1 merges makes two new ones.
        values = .allocate(capacity: 3 * capacity)
        previous = .allocate(capacity: capacity)
        next = .allocate(capacity: capacity)
    }

    /// Gives memory back when a single long word has made the space larger than `limit` symbols.
    func shrink(to limit: Int) {
        if capacity > limit { allocate(Self.initialCapacity) }
    }

    @inline(__always)
    func append(_ symbol: Int32) {
        symbols[count] = symbol
        count &+= 1
    }

    /// Applies the merges of `table`, lowest rank first and leftmost among equals, and appends the ids that remain.
    ///
    /// O(n²) with a tiny constant for short words, O(n log n) for long ones.
    func merge(_ table: MergeTable, into ids: inout [Int32]) {
        if count <= 24 { mergeShort(table) } else { mergeLong(table) }
        for index in 0..<count { ids.append(symbols[index]) }
    }

    private func mergeShort(_ table: MergeTable) {
        guard count > 1 else { return }
        var pairs = count &- 1
        for index in 0..<pairs { values[index] = table.value(symbols[index], symbols[index &+ 1]) }
        while pairs > 0 {
            var best = 0
            var bestValue = values[0]
            for index in 1..<max(pairs, 1) where values[index] < bestValue {
                best = index
                bestValue = values[index]
            }
            if bestValue == MergeTable.none { break }
            symbols[best] = Int32(truncatingIfNeeded: bestValue)
            for index in best &+ 1..<pairs {
                symbols[index] = symbols[index &+ 1]
                values[index &- 1] = values[index]
            }
            pairs &-= 1
            if best > 0 { values[best &- 1] = table.value(symbols[best &- 1], symbols[best]) }
            if best < pairs { values[best] = table.value(symbols[best], symbols[best &+ 1]) }
        }
        count = pairs &+ 1
    }

    /// Linked list plus a heap of rank << 32 | position; an entry whose pair has changed since is skipped.
    private func mergeLong(_ table: MergeTable) {
        let last = count - 1
        var heap = MergeHeap(storage: values)
        for index in 0...last {
            previous[index] = Int32(truncatingIfNeeded: index - 1)
            next[index] = Int32(truncatingIfNeeded: index + 1)
            if index < last {
                let value = table.value(symbols[index], symbols[index + 1])
                if value != MergeTable.none { heap.appendUnordered((value >> 32) << 32 | UInt64(index)) }
            }
        }
        heap.order()
        let end = Int32(truncatingIfNeeded: count)
        let removed: Int32 = -2
        while let top = heap.popLowest() {
            let position = Int32(truncatingIfNeeded: top)
            let at = Int(position)
            let right = next[at]
            guard previous[at] != removed, right < end else { continue }
            let value = table.value(symbols[at], symbols[Int(right)])
            guard value != MergeTable.none, value >> 32 == top >> 32 else { continue }
            symbols[at] = Int32(truncatingIfNeeded: value)
            previous[Int(right)] = removed
            let following = next[Int(right)]
            next[at] = following
            if following < end {
                previous[Int(following)] = position
                let value = table.value(symbols[at], symbols[Int(following)])
                if value != MergeTable.none { heap.push((value >> 32) << 32 | UInt64(position)) }
            }
            let before = previous[at]
            if before >= 0 {
                let value = table.value(symbols[Int(before)], symbols[at])
                if value != MergeTable.none { heap.push((value >> 32) << 32 | UInt64(before)) }
            }
        }
        var kept = 0
        var index: Int32 = 0
        while index < end {
            symbols[kept] = symbols[Int(index)]
            kept += 1
            index = next[Int(index)]
        }
        count = kept
    }
}

/// A binary min-heap in borrowed memory.
private struct MergeHeap {
    private let storage: UnsafeMutablePointer<UInt64>
    private var count = 0

    init(storage: UnsafeMutablePointer<UInt64>) { self.storage = storage }

    mutating func appendUnordered(_ value: UInt64) {
        storage[count] = value
        count += 1
    }

    /// Makes a heap of values appended in any order. O(n).
    mutating func order() {
        var index = count / 2
        while index > 0 {
            index -= 1
            siftDown(from: index)
        }
    }

    mutating func push(_ value: UInt64) {
        var index = count
        count += 1
        while index > 0 {
            let parent = (index &- 1) >> 1
            if storage[parent] <= value { break }
            storage[index] = storage[parent]
            index = parent
        }
        storage[index] = value
    }

    mutating func popLowest() -> UInt64? {
        guard count > 0 else { return nil }
        let lowest = storage[0]
        count -= 1
        if count > 0 {
            storage[0] = storage[count]
            siftDown(from: 0)
        }
        return lowest
    }

    private mutating func siftDown(from start: Int) {
        let value = storage[start]
        var index = start
        while true {
            var child = 2 &* index &+ 1
            if child >= count { break }
            if child &+ 1 < count, storage[child &+ 1] < storage[child] { child &+= 1 }
            if storage[child] >= value { break }
            storage[index] = storage[child]
            index = child
        }
        storage[index] = value
    }
}
