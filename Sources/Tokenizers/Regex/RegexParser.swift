/// Parses the pattern language of tokenizer files: Oniguruma's Ruby syntax, which HuggingFace `tokenizers` uses.
///
/// Back references, conditionals, recursion, POSIX brackets and unknown properties are refused by name.
struct RegexParser {
    private let scalars: [UInt32]
    private var position = 0
    private var depth = 0
    private var ignoresCase = false
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

    private func failure(_ message: String) -> RegexError { RegexError(message, at: position) }

    private var current: Character? {
        guard position < scalars.count else { return nil }
        return Unicode.Scalar(scalars[position]).map { Character($0) }
    }

    private func looking(at text: String) -> Bool {
        let wanted = text.unicodeScalars.map(\.value)
        return scalars[position...].starts(with: wanted)
    }

    private mutating func take(_ text: String) -> Bool {
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
            while let character = current, character.isLetter || character.isNumber || character == "_" { position += 1 }
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

    // MARK: Escapes and classes

    private mutating func escape() throws(RegexError) -> RegexNode {
        guard position + 1 < scalars.count, let letter = Unicode.Scalar(scalars[position + 1]) else {
            throw failure("the pattern ends with a backslash")
        }
        let assertions: [Unicode.Scalar: RegexNode.Assertion] = [
            "b": .wordBoundary, "B": .notWordBoundary, "A": .textStart, "z": .textEnd, "Z": .textEndOrLastLine,
        ]
        if let assertion = assertions[letter] {
            position += 2
            return .assertion(assertion)
        }
        if ("1"..."9").contains(letter) || letter == "k" || letter == "g" {
            throw failure("back references are not supported")
        }
        return .set(folded(try escapedSet()))
    }

    /// The set that an escape means, inside or outside of brackets.
    private mutating func escapedSet() throws(RegexError) -> ScalarSet {
        guard position + 1 < scalars.count, let letter = Unicode.Scalar(scalars[position + 1]) else {
            throw failure("the pattern ends with a backslash")
        }
        position += 2
        switch letter {
        case "s": return .space
        case "S": return ScalarSet.space.complement
        case "d": return .digit
        case "D": return ScalarSet.digit.complement
        case "w": return .word
        case "W": return ScalarSet.word.complement
        case "h": return ScalarSet([0x30...0x39, 0x41...0x46, 0x61...0x66])
        case "H": return ScalarSet([0x30...0x39, 0x41...0x46, 0x61...0x66]).complement
        case "p": return try property(isNegated: false)
        case "P": return try property(isNegated: true)
        case "n": return ScalarSet(0x0A)
        case "r": return ScalarSet(0x0D)
        case "t": return ScalarSet(0x09)
        case "f": return ScalarSet(0x0C)
        case "v": return ScalarSet(0x0B)
        case "a": return ScalarSet(0x07)
        case "e": return ScalarSet(0x1B)
        case "0": return ScalarSet(0)
        case "x": return ScalarSet(try hexadecimal(digits: 2))
        case "u": return ScalarSet(try hexadecimal(digits: 4))
        default:
            let isPlain = letter.value >= 0x80 || !(("a"..."z").contains(letter) || ("A"..."Z").contains(letter))
            guard isPlain, !("1"..."9").contains(letter) else {
                throw failure("the escape '\\\(letter)' is not supported")
            }
            return ScalarSet(letter.value)
        }
    }

    private mutating func hexadecimal(digits: Int) throws(RegexError) -> UInt32 {
        let isBraced = take("{")
        var text = ""
        while let character = current, character.isHexDigit, isBraced ? text.count < 8 : text.count < digits {
            text.append(character)
            position += 1
        }
        guard let value = UInt32(text, radix: 16), value <= 0x10FFFF, !isBraced || take("}") else {
            throw failure("malformed hexadecimal escape")
        }
        return value
    }

    private mutating func property(isNegated: Bool) throws(RegexError) -> ScalarSet {
        guard take("{") else { throw failure("expected '{' behind \\p") }
        var isNegated = isNegated
        if take("^") { isNegated.toggle() }
        var name = ""
        while let character = current, character != "}" {
            name.append(character)
            position += 1
            guard name.count <= 40 else { break }
        }
        guard take("}") else { throw failure("unterminated property name") }
        let set: ScalarSet
        if let categories = CategorySet(propertyName: name) {
            set = ScalarSet(categories)
        } else if let script = UnicodeScripts.ranges(of: name) {
            set = ScalarSet(script)
        } else {
            throw failure("the property '\(name)' is not supported")
        }
        return isNegated ? set.complement : set
    }

    /// What is between `[` and `]`.
    private mutating func characterClass() throws(RegexError) -> ScalarSet {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maximumDepth else { throw failure("classes are nested too deep") }
        let isNegated = take("^")
        var set = ScalarSet()
        var intersections: [ScalarSet] = []
        var isFirst = true
        while true {
            guard let character = current else { throw failure("unterminated class") }
            if character == "]", !isFirst {
                position += 1
                break
            }
            isFirst = false
            if looking(at: "[:") { throw failure("POSIX brackets are not supported") }
            if take("[") {
                set.insert(try characterClass())
            } else if take("&&") {
                set.seal()
                intersections.append(set)
                set = ScalarSet()
            } else {
                set.insert(folded(try classItem()))
            }
        }
        set.seal()
        for other in intersections { set.formIntersection(other) }
        if isNegated { set.negate() }
        return set
    }

    /// One scalar, a range or an escape.
    private mutating func classItem() throws(RegexError) -> ScalarSet {
        guard let lower = try classScalar() else { return try escapedSet() }
        guard looking(at: "-"), position + 1 < scalars.count, scalars[position + 1] != UInt32(UInt8(ascii: "]")),
            scalars[position + 1] != UInt32(UInt8(ascii: "["))
        else { return ScalarSet(lower) }
        position += 1
        guard let upper = try classScalar() else { throw failure("a class cannot end a range") }
        guard lower <= upper else { throw failure("the bounds of a range are reversed") }
        return ScalarSet([lower...upper])
    }

    /// A single scalar, escaped or not; nil, with nothing read, when an escape means a set.
    private mutating func classScalar() throws(RegexError) -> UInt32? {
        guard position < scalars.count else { throw failure("unterminated class") }
        guard current == "\\" else {
            position += 1
            return scalars[position - 1]
        }
        if position + 1 < scalars.count, scalars[position + 1] == UInt32(UInt8(ascii: "b")) {
            position += 2
            return 0x08
        }
        let start = position
        let set = try escapedSet()
        if set.categories.isEmpty, set.members.isEmpty, !set.isNegated, set.ranges.count == 1,
            let range = set.ranges.first, range.lowerBound == range.upperBound
        {
            return range.lowerBound
        }
        position = start
        return nil
    }

    /// The set with the other case of its scalars, where case does not matter.
    private func folded(_ set: ScalarSet) -> ScalarSet {
        guard ignoresCase, set.categories.isEmpty, set.members.isEmpty, !set.isNegated else { return set }
        var result = set
        for range in set.ranges where range.count <= 0x400 {
            for value in range {
                guard let scalar = Unicode.Scalar(value) else { continue }
                for text in [scalar.properties.lowercaseMapping, scalar.properties.uppercaseMapping] {
                    let mapped = text.unicodeScalars
                    if mapped.count == 1, let other = mapped.first, other != scalar {
                        result.insert(ScalarSet(other.value))
                    }
                }
                if scalar == "s" || scalar == "S" { result.insert(ScalarSet(0x17F)) }
                if scalar == "k" || scalar == "K" { result.insert(ScalarSet(0x212A)) }
            }
        }
        result.seal()
        return result
    }
}

/// What a pattern cannot have, and where.
struct RegexError: Error, Equatable {
    let message: String
    let position: Int

    init(_ message: String, at position: Int) {
        self.message = message
        self.position = position
    }
}
