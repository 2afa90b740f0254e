import Checkpoints

/// A regular expression of an adapter's configuration, matched against dotted module paths.
///
/// The syntax is the part of Python's `re` that needs no back-tracking: matching takes O(path × pattern), whatever the
/// pattern, and draws on a `MatchBudget`. Look-around, back references and inline flags are refused as unsupported.
struct ModulePattern: Sendable {
    struct Failure: Error {
        let problem: String
        /// False where Python would refuse the pattern too.
        let isUnsupported: Bool
    }

    private let program: PatternProgram

    /// The path as a whole must match, as with `re.fullmatch`.
    init(fullMatch text: String) throws(Failure) {
        program = try PatternProgram(try PatternParser.parse(text))
    }

    /// The path, or what follows one of its dots, must match: PEFT's rule for the keys of `rank_pattern`,
    /// `re.match(r"(.*\.)?(KEY)$", path)`.
    init(key text: String) throws(Failure) {
        let anything = PatternNode.repeated(.bytes(.dot), minimum: 0, maximum: nil)
        let prefix = PatternNode.sequence([anything, .bytes(ByteSet(UInt8(ascii: ".")))])
        let node = PatternNode.sequence([
            .repeated(prefix, minimum: 0, maximum: 1), try PatternParser.parse(text),
        ])
        program = try PatternProgram(node)
    }

    /// Throws when the budget is used up.
    func matches(_ path: String, _ budget: inout MatchBudget) throws(CheckpointError) -> Bool {
        try program.matches(Array(path.utf8), &budget)
    }
}

/// The work that all patterns of one file together may cost, in visited states.
struct MatchBudget {
    /// The configuration file, for the message.
    let file: String
    private var remaining = 100_000_000

    init(file: String) { self.file = file }

    mutating func spend(_ count: Int) throws(CheckpointError) {
        remaining -= count
        guard remaining >= 0 else {
            throw CheckpointError(
                .unsupported, file: file, "its patterns of module names take too long to match",
                advice: "name the modules in lists, and simplify rank_pattern and alpha_pattern")
        }
    }
}

/// A set of byte values.
struct ByteSet: Sendable {
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    init() {}
    init(_ byte: UInt8) { insert(byte) }

    init(_ range: ClosedRange<UInt8>) {
        for byte in range { insert(byte) }
    }

    mutating func insert(_ byte: UInt8) {
        let bit: UInt64 = 1 << UInt64(byte & 63)
        switch byte >> 6 {
        case 0: words.0 |= bit
        case 1: words.1 |= bit
        case 2: words.2 |= bit
        default: words.3 |= bit
        }
    }

    func contains(_ byte: UInt8) -> Bool {
        let word =
            switch byte >> 6 {
            case 0: words.0
            case 1: words.1
            case 2: words.2
            default: words.3
            }
        return word >> UInt64(byte & 63) & 1 == 1
    }

    mutating func formUnion(_ other: ByteSet) {
        words.0 |= other.words.0
        words.1 |= other.words.1
        words.2 |= other.words.2
        words.3 |= other.words.3
    }

    var complement: ByteSet {
        var result = self
        result.words = (~words.0, ~words.1, ~words.2, ~words.3)
        return result
    }

    static let digits = ByteSet(UInt8(ascii: "0")...UInt8(ascii: "9"))
    static let dot = ByteSet(UInt8(ascii: "\n")).complement

    static let word: ByteSet = {
        var set = digits
        set.formUnion(ByteSet(UInt8(ascii: "a")...UInt8(ascii: "z")))
        set.formUnion(ByteSet(UInt8(ascii: "A")...UInt8(ascii: "Z")))
        set.insert(UInt8(ascii: "_"))
        return set
    }()

    static let space: ByteSet = {
        var set = ByteSet(9...13)
        set.insert(32)
        return set
    }()
}
