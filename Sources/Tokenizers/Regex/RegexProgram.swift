/// A pattern compiled to instructions for `RegexMatcher`.
struct RegexProgram: Sendable {
    enum Instruction: Sendable {
        case set(Int)
        /// A run of scalars of one set; with greed the longest first, lazily the shortest, possessively only the longest.
        case loop(Int, minimum: Int, maximum: Int, RegexNode.Greed)
        /// Tries the next instruction first, then `other`; `first` is a set that the next one must begin with, or -1.
        case split(other: Int, first: Int)
        /// Tries `other` first, then the next instruction.
        case splitLazily(other: Int)
        case jump(Int)
        case lookSet(Int, isAhead: Bool, isNegated: Bool)
        /// A sub-program, up to `end`, that must (not) match here, or, behind, must (not) end here.
        case look(end: Int, isAhead: Bool, isNegated: Bool)
        /// A sub-program whose first match is taken without another try.
        case atomic(end: Int)
        case assertion(RegexNode.Assertion)
        case match
    }

    private(set) var instructions: [Instruction] = []
    private(set) var sets: [ScalarSet] = []
    /// Bytes that a match can begin with; nil when it may be empty.
    private(set) var firstBytes: [Bool]?

    private let expandsLoops: Bool

    static let maximumInstructions = 50_000
    /// How many scalars a look-behind may reach back.
    static let longestLookBehind = 255

    /// With `expandsLoops` every state of a match is an instruction and a position, which can be remembered.
    init(_ node: RegexNode, expandsLoops: Bool) throws(RegexError) {
        self.expandsLoops = expandsLoops
        try compile(node)
        try emit(.match)
        if let first = Self.firstSet(of: node), !first.isEmptyAllowed {
            firstBytes = (0..<256).map { byte in
                byte < 128 ? first.set.contains(UInt32(byte)) : byte >= 0xC2
            }
        }
    }

    private mutating func emit(_ instruction: Instruction) throws(RegexError) {
        guard instructions.count < Self.maximumInstructions else {
            throw RegexError("the pattern is too large", at: 0)
        }
        instructions.append(instruction)
    }

    private mutating func index(of set: ScalarSet) -> Int {
        sets.append(set)
        return sets.count - 1
    }

    private mutating func compile(_ node: RegexNode) throws(RegexError) {
        switch node {
        case .empty: break
        case .set(let set): try emit(.set(index(of: set)))
        case .sequence(let nodes): for node in nodes { try compile(node) }
        case .alternatives(let nodes): try compile(alternatives: nodes)
        case .repeated(let node, let minimum, let maximum, let greed):
            try compile(node, minimum, maximum, greed)
        case .atomic(let node): try compileSub(node) { .atomic(end: $0) }
        case .look(.set(let set), let isAhead, let isNegated):
            try emit(.lookSet(index(of: set), isAhead: isAhead, isNegated: isNegated))
        case .look(let node, let isAhead, let isNegated):
            try compileSub(node) { .look(end: $0, isAhead: isAhead, isNegated: isNegated) }
        case .assertion(let assertion): try emit(.assertion(assertion))
        }
    }

    private mutating func compileSub(_ node: RegexNode, _ make: (Int) -> Instruction) throws(RegexError) {
        let start = instructions.count
        try emit(.match)
        try compile(node)
        try emit(.match)
        instructions[start] = make(instructions.count)
    }

    private mutating func compile(alternatives nodes: [RegexNode]) throws(RegexError) {
        var jumps: [Int] = []
        for (number, node) in nodes.enumerated() {
            if number == nodes.count - 1 {
                try compile(node)
                break
            }
            let start = instructions.count
            try emit(.match)
            try compile(node)
            jumps.append(instructions.count)
            try emit(.match)
            instructions[start] = .split(other: instructions.count, first: firstSetIndex(of: node))
        }
        for jump in jumps { instructions[jump] = .jump(instructions.count) }
    }

    private mutating func firstSetIndex(of node: RegexNode) -> Int {
        guard let first = Self.firstSet(of: node), !first.isEmptyAllowed else { return -1 }
        return index(of: first.set)
    }

    private mutating func compile(
        _ node: RegexNode, _ minimum: Int, _ maximum: Int?, _ greed: RegexNode.Greed
    ) throws(RegexError) {
        if !expandsLoops || greed == .possessive, case .set(let set) = node {
            try emit(.loop(index(of: set), minimum: minimum, maximum: maximum ?? .max, greed))
            return
        }
        if greed == .possessive {
            try compileSub(.repeated(node, minimum: minimum, maximum: maximum, .greedy)) { .atomic(end: $0) }
            return
        }
        for _ in 0..<minimum { try compile(node) }
        if let maximum {
            var splits: [Int] = []
            for _ in minimum..<max(maximum, minimum) {
                splits.append(instructions.count)
                try emit(.match)
                try compile(node)
            }
            for split in splits { instructions[split] = Self.optional(instructions.count, greed) }
        } else {
            let start = instructions.count
            try emit(.match)
            try compile(node)
            try emit(.jump(start))
            instructions[start] = Self.optional(instructions.count, greed)
        }
    }

    private static func optional(_ other: Int, _ greed: RegexNode.Greed) -> Instruction {
        greed == .lazy ? .splitLazily(other: other) : .split(other: other, first: -1)
    }

    /// Scalars that a match of the node can begin with, and whether it may be empty; nil when that is not known.
    private static func firstSet(of node: RegexNode) -> (set: ScalarSet, isEmptyAllowed: Bool)? {
        switch node {
        case .empty: return (ScalarSet(), true)
        case .set(let set): return (set, false)
        case .sequence(let nodes):
            var result = ScalarSet()
            for node in nodes {
                guard let first = firstSet(of: node) else { return nil }
                result.insert(first.set)
                if !first.isEmptyAllowed {
                    result.seal()
                    return (result, false)
                }
            }
            result.seal()
            return (result, true)
        case .alternatives(let nodes):
            var result = ScalarSet()
            var isEmptyAllowed = false
            for node in nodes {
                guard let first = firstSet(of: node) else { return nil }
                result.insert(first.set)
                isEmptyAllowed = isEmptyAllowed || first.isEmptyAllowed
            }
            result.seal()
            return (result, isEmptyAllowed)
        case .repeated(let node, let minimum, let maximum, _):
            guard maximum != 0 else { return (ScalarSet(), true) }
            guard let first = firstSet(of: node) else { return nil }
            return (first.set, first.isEmptyAllowed || minimum == 0)
        case .atomic(let node): return firstSet(of: node)
        case .look, .assertion: return (ScalarSet(), true)
        }
    }
}
