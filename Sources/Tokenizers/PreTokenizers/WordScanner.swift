/// Hand-written scanners for the two families of patterns that nearly all byte-level vocabularies use.
///
/// Both cover a text without gaps. They read UTF-8 and decide by category sets; ASCII takes one table look-up a byte.
struct WordScanner: Sendable {
    enum Family: Sendable {
        /// `'s|'t|… | ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
        case gpt2
        /// `(?i:'s|'t|…)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,n}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
        case cl100k
    }

    private let family: Family
    private let word: UInt32
    private let prefixBlocked: UInt32
    private let otherBlocked: UInt32
    private let mostDigits: Int
    private let categories: CategoryTable

    private static let number = CategorySet.number.rawValue
    private static let space = CategorySet.space.rawValue

    private init(_ family: Family, word: CategorySet = .letter, mostDigits: Int = .max) {
        self.family = family
        self.word = word.rawValue
        prefixBlocked = CategorySet([.letter, .number]).rawValue
        otherBlocked = CategorySet([.space, .number]).union(word).rawValue
        self.mostDigits = mostDigits
        categories = .shared
    }

    static let gpt2 = WordScanner(.gpt2)

    /// The scanner that does exactly what `pattern` says, or nil when the pattern is none of the known ones.
    init?(pattern: String) {
        let contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|"
        let spaces = #"|\s*[\r\n]+|\s+(?!\S)|\s+"#
        let letters = #"[^\r\n\p{L}\p{N}]?\p{L}+|"#
        let others = #"| ?[^\s\p{L}\p{N}]+[\r\n]*"#
        switch pattern {
        case #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#:
            self = .gpt2
        case contractions + letters + #"\p{N}{1,3}"# + others + spaces:
            self.init(.cl100k, mostDigits: 3)
        case contractions + letters + #"\p{N}"# + others + spaces:
            self.init(.cl100k, mostDigits: 1)
        case contractions + #"[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"# + spaces:
            self.init(.cl100k, word: [.letter, .mark], mostDigits: 1)
        default:
            return nil
        }
    }

    /// Appends the pieces of `base[start..<end]`. O(length), no allocation but the pieces.
    func split(_ base: UnsafePointer<UInt8>, _ start: Int, _ end: Int, into pieces: inout [Piece]) {
        var position = start
        switch family {
        case .gpt2:
            while position < end {
                let next = nextGPT2(base, position, end)
                pieces.append(Piece(start: position, end: next))
                position = next
            }
        case .cl100k:
            while position < end {
                let next = nextCL100K(base, position, end)
                pieces.append(Piece(start: position, end: next))
                position = next
            }
        }
    }

    @inline(__always)
    private func bit(_ base: UnsafePointer<UInt8>, _ position: Int) -> (bit: UInt32, next: Int) {
        let byte = base[position]
        if byte < 0x80 { return (categories.ascii[Int(byte)], position &+ 1) }
        let (scalar, next) = UTF8Scalars.decode(base, position)
        return (categories.bit(scalar), next)
    }

    /// The end of the run of scalars from `position` on that are in `set`.
    @inline(__always)
    private func run(_ base: UnsafePointer<UInt8>, _ position: Int, _ end: Int, in set: UInt32) -> Int {
        var position = position
        while position < end {
            let (bit, next) = bit(base, position)
            if bit & set == 0 { break }
            position = next
        }
        return position
    }

    @inline(__always)
    private func nextGPT2(_ base: UnsafePointer<UInt8>, _ position: Int, _ end: Int) -> Int {
        let first = base[position]
        if first == UInt8(ascii: "'") {
            let length = contraction(base, position, end)
            if length > 0 { return position + length }
        }
        var (bit, next) = bit(base, position)
        if first == UInt8(ascii: " "), next < end {
            let (second, behind) = self.bit(base, next)
            if second & Self.space == 0 {
                bit = second
                next = behind
            }
        }
        if bit & word != 0 { return run(base, next, end, in: word) }
        if bit & Self.number != 0 { return run(base, next, end, in: Self.number) }
        if bit & Self.space == 0 { return run(base, next, end, in: ~otherBlocked) }
        return spaces(base, position, next, end)
    }

    /// `'s 't 'm 'd 're 've 'll` in lower case: their length, or 0.
    @inline(__always)
    private func contraction(_ base: UnsafePointer<UInt8>, _ position: Int, _ end: Int) -> Int {
        guard position + 1 < end else { return 0 }
        switch base[position + 1] {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return 2
        case UInt8(ascii: "r"), UInt8(ascii: "v"):
            return position + 2 < end && base[position + 2] == UInt8(ascii: "e") ? 3 : 0
        case UInt8(ascii: "l"): return position + 2 < end && base[position + 2] == UInt8(ascii: "l") ? 3 : 0
        default: return 0
        }
    }

    /// A run of white space that begins at `position`: all of it at the end of the text, otherwise all but its last
    /// scalar, which belongs to what follows, unless it is the only one.
    @inline(__always)
    private func spaces(_ base: UnsafePointer<UInt8>, _ position: Int, _ next: Int, _ end: Int) -> Int {
        var last = position
        var next = next
        while next < end {
            let (bit, behind) = bit(base, next)
            if bit & Self.space == 0 { return last > position ? last : next }
            last = next
            next = behind
        }
        return end
    }

    @inline(__always)
    private func nextCL100K(_ base: UnsafePointer<UInt8>, _ position: Int, _ end: Int) -> Int {
        let first = base[position]
        if first == UInt8(ascii: "'") {
            let length = anyCaseContraction(base, position, end)
            if length > 0 { return position + length }
        }
        let (bit, next) = bit(base, position)
        let isNewline = first == 0x0A || first == 0x0D
        if bit & prefixBlocked == 0, !isNewline, next < end {
            let (second, behind) = self.bit(base, next)
            if second & word != 0 { return run(base, behind, end, in: word) }
            if first == UInt8(ascii: " "), second & otherBlocked == 0 {
                return newlines(base, run(base, behind, end, in: ~otherBlocked), end)
            }
        }
        if bit & word != 0 { return run(base, next, end, in: word) }
        if bit & Self.number != 0 { return digits(base, next, end) }
        if bit & otherBlocked == 0 { return newlines(base, run(base, next, end, in: ~otherBlocked), end) }
        return spacesOrLines(base, position, end)
    }

    @inline(__always)
    private func digits(_ base: UnsafePointer<UInt8>, _ position: Int, _ end: Int) -> Int {
        var position = position
        var count = 1
        while position < end, count < mostDigits {
            let (bit, next) = bit(base, position)
            if bit & Self.number == 0 { break }
            position = next
            count += 1
        }
        return position
    }

    @inline(__always)
    private func newlines(_ base: UnsafePointer<UInt8>, _ position: Int, _ end: Int) -> Int {
        var position = position
        while position < end, base[position] == 0x0A || base[position] == 0x0D { position += 1 }
        return position
    }

    /// Contractions in any case; U+017F folds to `s`.
    @inline(__always)
    private func anyCaseContraction(_ base: UnsafePointer<UInt8>, _ position: Int, _ end: Int) -> Int {
        guard position + 1 < end else { return 0 }
        let second = base[position + 1]
        if second == 0xC5 { return position + 2 < end && base[position + 2] == 0xBF ? 3 : 0 }
        switch second | 0x20 {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return 2
        case UInt8(ascii: "r"), UInt8(ascii: "v"):
            return position + 2 < end && base[position + 2] | 0x20 == UInt8(ascii: "e") ? 3 : 0
        case UInt8(ascii: "l"): return position + 2 < end && base[position + 2] | 0x20 == UInt8(ascii: "l") ? 3 : 0
        default: return 0
        }
    }

    /// `\s*[\r\n]+|\s+(?!\S)|\s+`: a run of white space up to its last line break, or as `spaces` if it has none.
    @inline(__always)
    private func spacesOrLines(_ base: UnsafePointer<UInt8>, _ position: Int, _ end: Int) -> Int {
        var current = position
        var last = position
        var lineEnd = 0
        while current < end {
            let (bit, next) = bit(base, current)
            if bit & Self.space == 0 { break }
            if base[current] == 0x0A || base[current] == 0x0D { lineEnd = next }
            last = current
            current = next
        }
        if lineEnd > 0 { return lineEnd }
        if current == end { return end }
        return last > position ? last : current
    }
}
