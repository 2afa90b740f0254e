/// Decompositions, compositions and combining classes in flat tables, built when first needed.
struct NormalizationTables: Sendable {
    static let shared = NormalizationTables()

    /// No scalar from here on decomposes, combines or has a combining class.
    static let limit = 0x30000

    /// What may happen to a scalar, one bit each, in `flags`.
    static let breaksNFC: UInt8 = 1
    static let breaksNFD: UInt8 = 2
    static let breaksNFKC: UInt8 = 4
    static let breaksNFKD: UInt8 = 8

    private let canonical: FlatBuffer<UInt32>
    private let compatible: FlatBuffer<UInt32>
    private let classes: FlatBuffer<UInt8>
    private let flags: FlatBuffer<UInt8>
    private let compositions: [UInt64: UInt32]

    private init() {
        canonical = Self.index(UnicodeData.canonicalDecompositions)
        compatible = Self.index(UnicodeData.compatibilityDecompositions)
        classes = FlatBuffer(repeating: 0, count: Self.limit)
        flags = FlatBuffer(repeating: 0, count: Self.limit)
        let all = Self.breaksNFC | Self.breaksNFD | Self.breaksNFKC | Self.breaksNFKD
        for entry in UnicodeData.combiningClasses {
            classes.base[Int(entry >> 8)] = UInt8(entry & 0xFF)
            flags.base[Int(entry >> 8)] = all
        }
        var pairs: [UInt64: UInt32] = [:]
        let flat = UnicodeData.compositions
        var composites: Set<UInt32> = []
        for start in stride(from: 0, to: flat.count - 2, by: 3) {
            pairs[UInt64(flat[start]) << 32 | UInt64(flat[start + 1])] = flat[start + 2]
            composites.insert(flat[start + 2])
            flags.base[Int(flat[start + 1])] |= Self.breaksNFC | Self.breaksNFKC
        }
        compositions = pairs
        for scalar in 0..<Self.limit {
            if canonical.base[scalar] != 0 {
                flags.base[scalar] |= Self.breaksNFD | Self.breaksNFKD
                if !composites.contains(UInt32(scalar)) { flags.base[scalar] |= Self.breaksNFC | Self.breaksNFKC }
            }
            if compatible.base[scalar] != 0 {
                flags.base[scalar] |= Self.breaksNFKD
                if compatible.base[scalar] != 0, canonical.base[scalar] == 0 || !sameDecomposition(scalar) {
                    flags.base[scalar] |= Self.breaksNFKC
                }
            }
        }
        for scalar in Int(Hangul.first)...Int(Hangul.last) { flags.base[scalar] = Self.breaksNFD | Self.breaksNFKD }
        for scalar in 0x1161...0x11C2 { flags.base[scalar] |= Self.breaksNFC | Self.breaksNFKC }
    }

    /// Where each decomposition begins in its list, plus 1.
    private static func index(_ list: [UInt32]) -> FlatBuffer<UInt32> {
        let result = FlatBuffer<UInt32>(repeating: 0, count: limit)
        var position = 0
        while position < list.count {
            result.base[Int(list[position] >> 8)] = UInt32(position + 1)
            position += Int(list[position] & 0xFF) + 1
        }
        return result
    }

    private func sameDecomposition(_ scalar: Int) -> Bool {
        decomposition(UInt32(scalar), isCompatible: false) == decomposition(UInt32(scalar), isCompatible: true)
    }

    /// Whether `scalar` can change, or be changed by, its neighbours in the form that `bit` stands for.
    @inline(__always)
    func isAffected(_ scalar: UInt32, _ bit: UInt8) -> Bool {
        scalar < UInt32(Self.limit) && flags.base[Int(scalar)] & bit != 0
    }

    func combiningClass(_ scalar: UInt32) -> UInt8 {
        scalar < UInt32(Self.limit) ? classes.base[Int(scalar)] : 0
    }

    /// The full decomposition, or nil when there is none. Hangul is not in the tables.
    func decomposition(_ scalar: UInt32, isCompatible: Bool) -> ArraySlice<UInt32>? {
        guard scalar < UInt32(Self.limit) else { return nil }
        let position = Int((isCompatible ? compatible : canonical).base[Int(scalar)])
        guard position > 0 else { return nil }
        let list = isCompatible ? UnicodeData.compatibilityDecompositions : UnicodeData.canonicalDecompositions
        return list[position..<position + Int(list[position - 1] & 0xFF)]
    }

    func composition(_ first: UInt32, _ second: UInt32) -> UInt32? {
        Hangul.composition(first, second) ?? compositions[UInt64(first) << 32 | UInt64(second)]
    }
}

/// The syllables that decompose by arithmetic (chapter 3.12 of the Unicode standard).
enum Hangul {
    static let first: UInt32 = 0xAC00
    static let last: UInt32 = 0xD7A3
    private static let leading: UInt32 = 0x1100
    private static let vowel: UInt32 = 0x1161
    private static let trailing: UInt32 = 0x11A7

    static func append(decompositionOf scalar: UInt32, to output: inout [UInt32]) {
        let index = scalar - first
        output.append(leading + index / 588)
        output.append(vowel + index % 588 / 28)
        if index % 28 > 0 { output.append(trailing + index % 28) }
    }

    static func composition(_ first: UInt32, _ second: UInt32) -> UInt32? {
        if (leading..<leading + 19).contains(first), (vowel..<vowel + 21).contains(second) {
            return Self.first + ((first - leading) * 21 + second - vowel) * 28
        }
        if (Self.first...last).contains(first), (first - Self.first) % 28 == 0,
            (trailing + 1..<trailing + 28).contains(second)
        {
            return first + second - trailing
        }
        return nil
    }
}
