/// A parsed pattern.
indirect enum PatternNode: Sendable {
    enum Assertion: Sendable {
        case start
        case end
        case wordBoundary
        case notWordBoundary
    }

    case bytes(ByteSet)
    case assertion(Assertion)
    case sequence([PatternNode])
    case alternatives([PatternNode])
    case repeated(PatternNode, minimum: Int, maximum: Int?)
}

/// Reads Python's `re` syntax; groups capture nothing here.
struct PatternParser {
    private let text: [UInt8]
    private var position = 0
    private var depth = 0

    private static let maximumLength = 20_000
    private static let maximumDepth = 40
    private static let maximumCount = 1000

    static func parse(_ text: String) throws(ModulePattern.Failure) -> PatternNode {
        var parser = PatternParser(text: Array(text.utf8))
        guard parser.text.count <= maximumLength else { throw parser.unsupported("the pattern is too long") }
        guard parser.text.allSatisfy({ $0 < 0x80 }) else {
            throw parser.unsupported("characters outside ASCII are not supported")
        }
        let node = try parser.alternatives()
        guard parser.position == parser.text.count else { throw parser.malformed("unmatched ')'") }
        return node
    }

    private init(text: [UInt8]) { self.text = text }

    private func malformed(_ problem: String) -> ModulePattern.Failure {
        .init(problem: "\(problem) at position \(position) of the pattern", isUnsupported: false)
    }

    private func unsupported(_ problem: String) -> ModulePattern.Failure {
        .init(problem: problem, isUnsupported: true)
    }

    private var next: UInt8? { position < text.count ? text[position] : nil }

    private mutating func take(_ expected: String) -> Bool {
        guard text[position...].starts(with: expected.utf8) else { return false }
        position += expected.utf8.count
        return true
    }

    private mutating func alternatives() throws(ModulePattern.Failure) -> PatternNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maximumDepth else { throw unsupported("groups are nested too deep") }
        var branches = [try sequence()]
        while take("|") { branches.append(try sequence()) }
        return branches.count == 1 ? branches[0] : .alternatives(branches)
    }

    private mutating func sequence() throws(ModulePattern.Failure) -> PatternNode {
        var nodes: [PatternNode] = []
        while let byte = next, byte != UInt8(ascii: "|"), byte != UInt8(ascii: ")") {
            let atom = try atom(byte)
            nodes.append(try quantified(atom))
        }
        return nodes.count == 1 ? nodes[0] : .sequence(nodes)
    }

    private mutating func atom(_ byte: UInt8) throws(ModulePattern.Failure) -> PatternNode {
        position += 1
        switch byte {
        case UInt8(ascii: "("): return try group()
        case UInt8(ascii: "["): return .bytes(try characterClass())
        case UInt8(ascii: "."): return .bytes(.dot)
        case UInt8(ascii: "^"): return .assertion(.start)
        case UInt8(ascii: "$"): return .assertion(.end)
        case UInt8(ascii: "\\"): return try escape()
        case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"): throw malformed("nothing to repeat")
        default: return .bytes(ByteSet(byte))
        }
    }

    private mutating func group() throws(ModulePattern.Failure) -> PatternNode {
        if take("?P<") {
            while let byte = next, ByteSet.word.contains(byte) { position += 1 }
            guard take(">") else { throw malformed("unterminated name of a group") }
        } else if !take("?:"), next == UInt8(ascii: "?") {
            throw unsupported("look-around, flags and other special groups are not supported")
        }
        let node = try alternatives()
        guard take(")") else { throw malformed("missing ')'") }
        return node
    }

    private mutating func escape() throws(ModulePattern.Failure) -> PatternNode {
        guard let byte = next else { throw malformed("the pattern ends in a backslash") }
        if let set = Self.classEscape(byte) {
            position += 1
            return .bytes(set)
        }
        position += 1
        switch byte {
        case UInt8(ascii: "b"): return .assertion(.wordBoundary)
        case UInt8(ascii: "B"): return .assertion(.notWordBoundary)
        case UInt8(ascii: "A"): return .assertion(.start)
        case UInt8(ascii: "Z"): return .assertion(.end)
        case UInt8(ascii: "n"): return .bytes(ByteSet(10))
        case UInt8(ascii: "t"): return .bytes(ByteSet(9))
        case UInt8(ascii: "r"): return .bytes(ByteSet(13))
        case _ where ByteSet.word.contains(byte) && byte != UInt8(ascii: "_"):
            throw unsupported("'\\\(Character(Unicode.Scalar(byte)))' is not supported")
        default: return .bytes(ByteSet(byte))
        }
    }

    private static func classEscape(_ byte: UInt8) -> ByteSet? {
        switch byte {
        case UInt8(ascii: "d"): .digits
        case UInt8(ascii: "D"): ByteSet.digits.complement
        case UInt8(ascii: "w"): .word
        case UInt8(ascii: "W"): ByteSet.word.complement
        case UInt8(ascii: "s"): .space
        case UInt8(ascii: "S"): ByteSet.space.complement
        default: nil
        }
    }

    /// The rest of `[…]`.
    private mutating func characterClass() throws(ModulePattern.Failure) -> ByteSet {
        let isNegated = take("^")
        var set = ByteSet()
        var isFirst = true
        while let byte = next, isFirst || byte != UInt8(ascii: "]") {
            isFirst = false
            guard let low = try classMember(&set) else { continue }
            guard position + 1 < text.count, next == UInt8(ascii: "-"), text[position + 1] != UInt8(ascii: "]") else {
                set.insert(low)
                continue
            }
            position += 1
            guard let high = try classMember(&set), low <= high else { throw malformed("bad range in '[…]'") }
            set.formUnion(ByteSet(low...high))
        }
        guard take("]") else { throw malformed("unterminated '['") }
        return isNegated ? set.complement : set
    }

    /// One byte of a class, or nil after an escape for several, which goes into `set`.
    private mutating func classMember(_ set: inout ByteSet) throws(ModulePattern.Failure) -> UInt8? {
        guard let byte = next else { throw malformed("unterminated '['") }
        position += 1
        guard byte == UInt8(ascii: "\\") else { return byte }
        guard let escaped = next else { throw malformed("unterminated '['") }
        position += 1
        if let members = Self.classEscape(escaped) {
            set.formUnion(members)
            return nil
        }
        guard !ByteSet.word.contains(escaped) || escaped == UInt8(ascii: "_") else {
            throw unsupported("'\\\(Character(Unicode.Scalar(escaped)))' in '[…]' is not supported")
        }
        return escaped
    }

    private mutating func quantified(_ atom: PatternNode) throws(ModulePattern.Failure) -> PatternNode {
        guard let (minimum, maximum) = try bounds() else { return atom }
        // What a lazy repetition prefers does not matter to whether the whole matches.
        if !take("?"), next == UInt8(ascii: "+") { throw unsupported("possessive repetition is not supported") }
        let after = position
        if try bounds() != nil {
            position = after
            throw malformed("multiple repeat")
        }
        return .repeated(atom, minimum: minimum, maximum: maximum)
    }

    private mutating func bounds() throws(ModulePattern.Failure) -> (Int, Int?)? {
        if take("*") { return (0, nil) }
        if take("+") { return (1, nil) }
        if take("?") { return (0, 1) }
        guard next == UInt8(ascii: "{") else { return nil }
        let start = position
        position += 1
        let minimum = try number()
        let hasComma = take(",")
        let maximum = hasComma ? try number() : minimum
        guard take("}"), hasComma || minimum != nil else {
            // Python takes such a brace for itself.
            position = start
            return nil
        }
        if let maximum, maximum < minimum ?? 0 { throw malformed("the bounds of a repetition are reversed") }
        return (minimum ?? 0, maximum)
    }

    private mutating func number() throws(ModulePattern.Failure) -> Int? {
        var value: Int?
        while let byte = next, ByteSet.digits.contains(byte) {
            value = (value ?? 0) * 10 + Int(byte - UInt8(ascii: "0"))
            position += 1
            guard value ?? 0 <= Self.maximumCount else {
                throw unsupported("more than \(Self.maximumCount) repetitions are not supported")
            }
        }
        return value
    }
}
