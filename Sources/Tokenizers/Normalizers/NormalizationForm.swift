/// The four Unicode normalisation forms (UAX 15).
enum NormalizationForm: String, Sendable {
    case canonicalComposed = "NFC"
    case canonicalDecomposed = "NFD"
    case compatibleComposed = "NFKC"
    case compatibleDecomposed = "NFKD"

    private var affectedBit: UInt8 {
        switch self {
        case .canonicalComposed: NormalizationTables.breaksNFC
        case .canonicalDecomposed: NormalizationTables.breaksNFD
        case .compatibleComposed: NormalizationTables.breaksNFKC
        case .compatibleDecomposed: NormalizationTables.breaksNFKD
        }
    }

    private var isCompatible: Bool { self == .compatibleComposed || self == .compatibleDecomposed }
    private var isComposed: Bool { self == .canonicalComposed || self == .compatibleComposed }

    /// Writes the normal form of UTF-8 text to `output`; false, with nothing written, when it is in that form already.
    ///
    /// Only the stretches around affected scalars are rewritten. O(length), O(k log k) for k marks in a row.
    func apply(_ base: UnsafePointer<UInt8>, _ count: Int, to output: inout ByteBuffer) -> Bool {
        var position = 0
        while position < count, base[position] < 0x80 { position += 1 }
        if position == count { return false }
        let tables = NormalizationTables.shared
        let bit = affectedBit
        var copied = 0
        var starter = position > 0 ? position - 1 : 0
        while position < count {
            let (scalar, next) = UTF8Scalars.decode(base, position)
            if !tables.isAffected(scalar, bit) {
                starter = position
                position = next
                continue
            }
            var end = next
            while end < count {
                let (other, behind) = UTF8Scalars.decode(base, end)
                if !tables.isAffected(other, bit) { break }
                end = behind
            }
            output.append(base + copied, count: starter - copied)
            rewrite(base, starter, end, to: &output)
            copied = end
            starter = end
            position = end
        }
        if copied == 0, output.count == 0 { return false }
        output.append(base + copied, count: count - copied)
        return true
    }

    private func rewrite(_ base: UnsafePointer<UInt8>, _ start: Int, _ end: Int, to output: inout ByteBuffer) {
        var scalars: [UInt32] = []
        var position = start
        while position < end {
            let (scalar, next) = UTF8Scalars.decode(base, position)
            decompose(scalar, to: &scalars)
            position = next
        }
        Self.order(&scalars)
        if isComposed { Self.compose(&scalars) }
        for scalar in scalars { output.append(scalar: scalar) }
    }

    private func decompose(_ scalar: UInt32, to scalars: inout [UInt32]) {
        if (Hangul.first...Hangul.last).contains(scalar) {
            Hangul.append(decompositionOf: scalar, to: &scalars)
        } else if let parts = NormalizationTables.shared.decomposition(scalar, isCompatible: isCompatible) {
            scalars += parts
        } else {
            scalars.append(scalar)
        }
    }

    /// Sorts every run of combining marks by class, keeping equals in order.
    private static func order(_ scalars: inout [UInt32]) {
        let tables = NormalizationTables.shared
        var start = 0
        while start < scalars.count {
            guard tables.combiningClass(scalars[start]) > 0 else {
                start += 1
                continue
            }
            var end = start
            while end < scalars.count, tables.combiningClass(scalars[end]) > 0 { end += 1 }
            if end - start > 1 {
                let keys = (start..<end).map {
                    UInt64(tables.combiningClass(scalars[$0])) << 32 | UInt64($0 - start)
                }
                let run = Array(scalars[start..<end])
                for (offset, key) in keys.sorted().enumerated() {
                    scalars[start + offset] = run[Int(key & 0xFFFF_FFFF)]
                }
            }
            start = end
        }
    }

    private static func compose(_ scalars: inout [UInt32]) {
        let tables = NormalizationTables.shared
        var starter: Int?
        var written = 0
        var lastClass = 0
        for scalar in scalars {
            let combining = Int(tables.combiningClass(scalar))
            if let at = starter, lastClass < combining || (lastClass == 0 && at == written - 1),
                let composed = tables.composition(scalars[at], scalar)
            {
                scalars[at] = composed
                continue
            }
            if combining == 0 { starter = written }
            lastClass = combining
            scalars[written] = scalar
            written += 1
        }
        scalars.removeSubrange(written...)
    }
}
