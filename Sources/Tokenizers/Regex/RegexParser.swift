/// Parses the pattern language of tokenizer files: Oniguruma's Ruby syntax, which HuggingFace `tokenizers` uses.
///
/// Back references, conditionals, recursion, POSIX brackets and unknown properties are refused by name.
struct RegexParser {
    let scalars: [UInt32]
    var position = 0
    var depth = 0
    var ignoresCase = false
    private var dotMatchesNewline = false
    private var isExtended = false

    static let maximumDepth = 64
    static let maximumLength = 20_000
    static let maximumCount = 1000

    static func parse(_ pattern: String) throws(RegexError) -> RegexNode {
        var parser = RegexParser(scalars: pattern.unicodeScalars.map(\.value))
        guard parser.scalars.count <= maximumLength else { throw RegexError("the pattern is too long", at: 0) }
        let node = try parser.alternatives()
        guard parser.position == parser.scalars.count else { throw parser.failure("unmatched ')'") }
        return node
    }

    private init(scalars: [UInt32]) { self.scalars = scalars }

    func failure(_ message: String) -> RegexError { RegexError(message, at: position) }

    var current: Character? {
        guard position < scalars.count else { return nil }
        return Unicode.Scalar(scalars[position]).map { Character($0) }
    }

    func looking(at text: String) -> Bool {
        let wanted = text.unicodeScalars.map(\.value)
        return scalars[position...].starts(with: wanted)
    }

    mutating func take(_ text: String) -> Bool {
        guard looking(at: text) else { return false }
        position += text.unicodeScalars.count
        return true
    }

    // MARK: Structure

    private mutating func alternatives() throws(RegexError) -> RegexNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maximumDepth else { throw failure("groups are nested too deep") }
        var branches = [try sequence()]
        while take("|") { branches.append(try sequence()) }
        return branches.count == 1 ? branches[0] : .alternatives(branches)
    }

    private mutating func sequence() throws(RegexError) -> RegexNode {
        var nodes: [RegexNode] = []
        while let character = current, character != "|", character != ")" {
            if isExtended, skipExtended() { continue }
            if let flags = try inlineFlags() {
                // `(?i)` holds to the end of the group: what follows, alternatives included, is one node.
                let outer = (ignoresCase, dotMatchesNewline, isExtended)
                (ignoresCase, dotMatchesNewline, isExtended) = flags
                nodes.append(try alternatives())
                (ignoresCase, dotMatchesNewline, isExtended) = outer
                break
            }
            let atom = try atom()
            nodes.append(try quantified(atom))
        }
        if nodes.isEmpty { return .empty }
        return nodes.count == 1 ? nodes[0] : .sequence(nodes)
    }

    private mutating func skipExtended() -> Bool {
        guard let character = current else { return false }
        if character == "#" {
            while let next = current, next != "\n" { position += 1 }
            return true
        }
        guard CategoryTable.shared.contains(scalars[position], in: .space) else { return false }
        position += 1
        return true
    }

    /// `(?i)` and the like, without a colon; nil when there is something else.
    private mutating func inlineFlags() throws(RegexError) -> (Bool, Bool, Bool)? {
        guard looking(at: "(?") else { return nil }
        let start = position
        position += 2
        if let flags = flags(), take(")") { return flags }
        position = start
        return nil
    }

    private mutating func flags() -> (Bool, Bool, Bool)? {
        var result = (ignoresCase, dotMatchesNewline, isExtended)
        var value = true
        let start = position
        while let character = current {
            switch character {
            case "i": result.0 = value
            case "m": result.1 = value
            case "x": result.2 = value
            case "-": value = false
            default: return position > start ? result : nil
            }
            position += 1
        }
        return nil
    }

    private mutating func atom() throws(RegexError) -> RegexNode {
        guard let character = current else { throw failure("the pattern ends too early") }
        switch character {
        case "(": return try group()
        case "[":
            position += 1
            return .set(try characterClass())
        case ".":
            position += 1
            return .set(dotMatchesNewline ? .anyScalar : ScalarSet.newline.complement)
        case "^":
            position += 1
            return .assertion(.lineStart)
        case "$":
            position += 1
            return .assertion(.lineEnd)
        case "\\": return try escape()
        case "*", "+", "?": throw failure("nothing to repeat before '\(character)'")
        default:
            let scalar = scalars[position]
            position += 1
            return .set(folded(ScalarSet(scalar)))
        }
    }

    private mutating func group() throws(RegexError) -> RegexNode {
        let kinds: [(String, (RegexNode) -> RegexNode)] = [
            ("(?:", { $0 }), ("(?=", { .look($0, isAhead: true, isNegated: false) }),
            ("(?!", { .look($0, isAhead: true, isNegated: true) }),
            ("(?<=", { .look($0, isAhead: false, isNegated: false) }),
            ("(?<!", { .look($0, isAhead: false, isNegated: true) }), ("(?>", { .atomic($0) }),
        ]
        let outer = (ignoresCase, dotMatchesNewline, isExtended)
        defer { (ignoresCase, dotMatchesNewline, isExtended) = outer }
        for (opening, make) in kinds where take(opening) { return make(try closed()) }
        if take("(?#") {
            while let character = current, character != ")" { position += 1 }
            guard take(")") else { throw failure("unterminated comment") }
            return .empty
        }
        if looking(at: "(?<") || looking(at: "(?'") {
            position += 3
            while let character = current, character.isLetter || character.isNumber || character == "_" {
                position += 1
            }
            guard take(">") || take("'") else { throw failure("unterminated group name") }
            return try closed()
        }
        if take("(?") {
            guard let flags = flags(), take(":") else { throw failure("this kind of group is not supported") }
            (ignoresCase, dotMatchesNewline, isExtended) = flags
            return try closed()
        }
        position += 1
        return try closed()
    }

    private mutating func closed() throws(RegexError) -> RegexNode {
        let node = try alternatives()
        guard take(")") else { throw failure("expected ')'") }
        return node
    }

    // MARK: Repetition

    private mutating func quantified(_ atom: RegexNode) throws(RegexError) -> RegexNode {
        var node = atom
        while let (minimum, maximum, isBraced) = try bounds() {
            depth += 1
            guard depth <= Self.maximumDepth else { throw failure("repetitions are nested too deep") }
            defer { depth -= 1 }
            var greed = RegexNode.Greed.greedy
            if take("?") {
                greed = .lazy
            } else if !isBraced, take("+") {
                // Behind braces a plus is a second quantifier in this syntax.
                greed = .possessive
            }
            if case .assertion = node { throw failure("an assertion cannot be repeated") }
            node = .repeated(node, minimum: minimum, maximum: maximum, greed)
        }
        return node
    }

    private mutating func bounds() throws(RegexError) -> (Int, Int?, isBraced: Bool)? {
        if take("*") { return (0, nil, false) }
        if take("+") { return (1, nil, false) }
        if take("?") { return (0, 1, false) }
        guard current == "{" else { return nil }
        let start = position
        position += 1
        let minimum = try number()
        var maximum = minimum
        if take(",") { maximum = try number() } else if minimum == nil { maximum = nil }
        guard take("}"), minimum != nil || maximum != nil else {
            position = start
            return nil
        }
        let lower = minimum ?? 0
        if let maximum, maximum < lower { throw failure("the bounds of a repetition are reversed") }
        return (lower, maximum, true)
    }

    private mutating func number() throws(RegexError) -> Int? {
        var value: Int?
        while position < scalars.count, (0x30...0x39).contains(scalars[position]) {
            value = (value ?? 0) * 10 + Int(scalars[position] - 0x30)
            position += 1
            guard value ?? 0 <= Self.maximumCount else {
                throw failure("more than \(Self.maximumCount) repetitions are not supported")
            }
        }
        return value
    }
}
