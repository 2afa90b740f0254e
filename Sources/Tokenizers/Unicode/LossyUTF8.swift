/// UTF-8 that arrives in fragments: whole characters are handed on, what is invalid becomes U+FFFD, one for each
/// maximal ill-formed part (as `String(decoding:as:)` and Rust's `from_utf8_lossy` do), and an unfinished character waits.
struct LossyUTF8 {
    private var pending: [UInt8] = []

    private static let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]

    /// Takes more bytes and appends what is certain now. O(count).
    mutating func append(_ bytes: some Collection<UInt8>, to output: inout [UInt8]) {
        for byte in bytes { append(byte, to: &output) }
    }

    /// Ends the text: an unfinished character becomes U+FFFD.
    mutating func finish(to output: inout [UInt8]) {
        if !pending.isEmpty { output += Self.replacement }
        pending.removeAll(keepingCapacity: true)
    }

    @inline(__always)
    private mutating func append(_ byte: UInt8, to output: inout [UInt8]) {
        if pending.isEmpty, byte < 0x80 {
            output.append(byte)
        } else {
            appendSlowly(byte, to: &output)
        }
    }

    private mutating func appendSlowly(_ byte: UInt8, to output: inout [UInt8]) {
        if let lead = pending.first {
            if Self.continues(lead, position: pending.count, byte) {
                pending.append(byte)
                if pending.count == Self.length(lead) {
                    output += pending
                    pending.removeAll(keepingCapacity: true)
                }
                return
            }
            output += Self.replacement
            pending.removeAll(keepingCapacity: true)
        }
        if byte < 0x80 {
            output.append(byte)
        } else if Self.length(byte) > 0 {
            pending.append(byte)
        } else {
            output += Self.replacement
        }
    }

    private static func length(_ lead: UInt8) -> Int {
        switch lead {
        case 0xC2...0xDF: 2
        case 0xE0...0xEF: 3
        case 0xF0...0xF4: 4
        default: 0
        }
    }

    /// Table 3-7 of the Unicode standard: which bytes may stand at `position` behind `lead`.
    private static func continues(_ lead: UInt8, position: Int, _ byte: UInt8) -> Bool {
        guard position == 1 else { return byte & 0xC0 == 0x80 }
        switch lead {
        case 0xE0: return (0xA0...0xBF).contains(byte)
        case 0xED: return (0x80...0x9F).contains(byte)
        case 0xF0: return (0x90...0xBF).contains(byte)
        case 0xF4: return (0x80...0x8F).contains(byte)
        default: return byte & 0xC0 == 0x80
        }
    }
}
