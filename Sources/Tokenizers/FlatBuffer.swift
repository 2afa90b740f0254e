/// A fixed piece of memory owned by one object; filled while it is built, then only read, from any thread.
final class FlatBuffer<Element: BitwiseCopyable>: @unchecked Sendable {
    let base: UnsafeMutablePointer<Element>
    let count: Int

    init(repeating value: Element, count: Int) {
        base = .allocate(capacity: max(count, 1))
        base.initialize(repeating: value, count: max(count, 1))
        self.count = count
    }

    convenience init(_ array: [Element], padding: Int = 0, with value: Element) {
        self.init(repeating: value, count: array.count + padding)
        array.withUnsafeBufferPointer { source in
            if let start = source.baseAddress { base.update(from: start, count: source.count) }
        }
    }

    deinit { base.deallocate() }
}

/// Growable bytes with 32 readable bytes behind the last one, so that words can be loaded eight bytes at a time.
struct ByteBuffer: ~Copyable {
    private(set) var base: UnsafeMutablePointer<UInt8>
    private(set) var count = 0
    private var capacity: Int

    static let padding = 32

    init(capacity: Int = 256) {
        self.capacity = capacity
        base = .allocate(capacity: capacity + Self.padding)
        base.initialize(repeating: 0, count: capacity + Self.padding)
    }

    deinit { base.deallocate() }

    mutating func removeAll() { count = 0 }

    /// Gives memory back when a single long text has made the buffer larger than `limit` bytes.
    mutating func shrink(to limit: Int) {
        guard capacity > limit else { return }
        base.deallocate()
        capacity = 256
        count = 0
        base = .allocate(capacity: capacity + Self.padding)
        base.initialize(repeating: 0, count: capacity + Self.padding)
    }

    private mutating func reserve(_ extra: Int) {
        guard count + extra > capacity else { return }
        let grown = max(capacity * 2, count + extra, 64)
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: grown + Self.padding)
        memory.initialize(from: base, count: count)
        (memory + count).initialize(repeating: 0, count: grown + Self.padding - count)
        base.deallocate()
        base = memory
        capacity = grown
    }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        if count == capacity { reserve(1) }
        base[count] = byte
        count += 1
    }

    @inline(__always)
    mutating func append(_ bytes: UnsafePointer<UInt8>, count added: Int) {
        reserve(added)
        (base + count).update(from: bytes, count: added)
        count += added
    }

    mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBufferPointer { buffer in
            if let start = buffer.baseAddress { append(start, count: buffer.count) }
        }
    }

    /// Appends the UTF-8 of one scalar.
    @inline(__always)
    mutating func append(scalar: UInt32) {
        if scalar < 0x80 { return append(UInt8(scalar)) }
        reserve(4)
        let target = base + count
        if scalar < 0x800 {
            target[0] = UInt8(truncatingIfNeeded: 0xC0 | scalar >> 6)
            target[1] = UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F)
            count += 2
        } else if scalar < 0x10000 {
            target[0] = UInt8(truncatingIfNeeded: 0xE0 | scalar >> 12)
            target[1] = UInt8(truncatingIfNeeded: 0x80 | scalar >> 6 & 0x3F)
            target[2] = UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F)
            count += 3
        } else {
            target[0] = UInt8(truncatingIfNeeded: 0xF0 | scalar >> 18 & 0x07)
            target[1] = UInt8(truncatingIfNeeded: 0x80 | scalar >> 12 & 0x3F)
            target[2] = UInt8(truncatingIfNeeded: 0x80 | scalar >> 6 & 0x3F)
            target[3] = UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F)
            count += 4
        }
    }
}
