/// A set of Unicode general categories, one bit each.
///
/// The bit positions are those of `UnicodeData.categoryRuns`. White space among the control characters has a bit of its
/// own, so that `\s` and `[^\s\p{L}]` are plain sets: a class of a pattern is one mask and a membership test one `and`.
struct CategorySet: OptionSet, Sendable, Hashable {
    let rawValue: UInt32

    init(rawValue: UInt32) { self.rawValue = rawValue }
    private init(_ bits: ClosedRange<UInt32>) {
        rawValue = bits.reduce(0) { $0 | 1 << $1 }
    }

    static let uppercase = CategorySet(0...0)
    static let lowercase = CategorySet(1...1)
    static let titlecase = CategorySet(2...2)
    static let modifierLetter = CategorySet(3...3)
    static let otherLetter = CategorySet(4...4)
    static let letter = CategorySet(0...4)
    static let mark = CategorySet(5...7)
    static let decimal = CategorySet(8...8)
    static let letterNumber = CategorySet(9...9)
    static let number = CategorySet(8...10)
    static let connector = CategorySet(11...11)
    static let punctuation = CategorySet(11...17)
    static let symbol = CategorySet(18...21)
    static let separator = CategorySet(22...24)
    static let controlSpace = CategorySet(30...30)
    static let space = CategorySet([.separator, .controlSpace])
    static let all = CategorySet(0...30)

    /// Two-letter names in bit order, without the control space, which belongs to `Cc`.
    static let names = [
        "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po",
        "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Cn",
    ]

    /// The set that `\p{name}` means: a category (`Lu`), a group of them (`L`) or one of a few long names; nil if unknown.
    init?(propertyName name: String) {
        let long = [
            "letter": "L", "mark": "M", "number": "N", "punctuation": "P", "symbol": "S", "separator": "Z",
            "other": "C",
            "uppercase_letter": "Lu", "lowercase_letter": "Ll", "titlecase_letter": "Lt", "modifier_letter": "Lm",
            "other_letter": "Lo", "nonspacing_mark": "Mn", "spacing_mark": "Mc", "enclosing_mark": "Me",
            "decimal_number": "Nd", "letter_number": "Nl", "other_number": "No", "digit": "Nd",
        ]
        if name == "Any" {
            self = .all
            return
        }
        let short = long[name.lowercased()] ?? name
        var bits: UInt32 = 0
        for (index, candidate) in Self.names.enumerated() where candidate == short || candidate.prefix(1) == short {
            bits |= 1 << UInt32(index)
            if candidate == "Cc" { bits |= CategorySet.controlSpace.rawValue }
        }
        if short == "Zs" || bits != 0 {
            self.init(rawValue: bits)
        } else {
            return nil
        }
    }
}
