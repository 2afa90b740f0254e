/// Escapes, properties and bracketed classes.
extension RegexParser {
    mutating func escape() throws(RegexError) -> RegexNode {
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
    mutating func characterClass() throws(RegexError) -> ScalarSet {
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
    func folded(_ set: ScalarSet) -> ScalarSet {
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
