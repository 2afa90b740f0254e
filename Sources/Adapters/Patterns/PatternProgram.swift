import Checkpoints

/// A pattern as a non-deterministic automaton, run on all its states at once.
///
/// Source: R. Cox, "Regular Expression Matching Can Be Simple And Fast" (the method of K. Thompson).
struct PatternProgram: Sendable {
    private enum Instruction {
        case bytes(ByteSet)
        case assertion(PatternNode.Assertion)
        /// Goes on at both places.
        case fork(Int, Int)
        case accept
    }

    private var instructions: [Instruction] = []

    private static let maximumCount = 20_000

    init(_ node: PatternNode) throws(ModulePattern.Failure) {
        try append(node)
        instructions.append(.accept)
    }

    // MARK: Compiling

    private mutating func add(_ instruction: Instruction) throws(ModulePattern.Failure) {
        guard instructions.count < Self.maximumCount else {
            throw .init(problem: "the pattern is too large", isUnsupported: true)
        }
        instructions.append(instruction)
    }

    private mutating func append(_ node: PatternNode) throws(ModulePattern.Failure) {
        switch node {
        case .bytes(let set): try add(.bytes(set))
        case .assertion(let assertion): try add(.assertion(assertion))
        case .sequence(let nodes): for node in nodes { try append(node) }
        case .alternatives(let branches): try append(branches)
        case .repeated(let node, let minimum, let maximum): try append(node, minimum, maximum)
        }
    }

    private mutating func append(_ branches: [PatternNode]) throws(ModulePattern.Failure) {
        var exits: [Int] = []
        for (position, branch) in branches.enumerated() {
            let fork = instructions.count
            let isLast = position == branches.count - 1
            if !isLast { try add(.fork(fork + 1, fork + 1)) }
            try append(branch)
            guard !isLast else { break }
            exits.append(instructions.count)
            try add(.fork(0, 0))
            instructions[fork] = .fork(fork + 1, instructions.count)
        }
        for exit in exits { instructions[exit] = .fork(instructions.count, instructions.count) }
    }

    private mutating func append(
        _ node: PatternNode, _ minimum: Int, _ maximum: Int?
    ) throws(ModulePattern.Failure) {
        for _ in 0..<minimum {
            let before = instructions.count
            try append(node)
            // Nothing repeated is nothing: a nest of such repetitions would only cost time.
            if instructions.count == before { break }
        }
        guard let maximum else {
            let fork = instructions.count
            try add(.fork(fork + 1, fork + 1))
            try append(node)
            try add(.fork(fork, fork))
            instructions[fork] = .fork(fork + 1, instructions.count)
            return
        }
        var forks: [Int] = []
        for _ in minimum..<max(minimum, maximum) {
            forks.append(instructions.count)
            try add(.fork(0, 0))
            try append(node)
        }
        for fork in forks { instructions[fork] = .fork(fork + 1, instructions.count) }
    }

    // MARK: Matching

    /// Whether the whole of `text` matches. O(text × instructions).
    func matches(_ text: [UInt8], _ budget: inout MatchBudget) throws(CheckpointError) -> Bool {
        var states: [Int] = []
        var seen = [Int](repeating: -1, count: instructions.count)
        var visits = instructions.count / 16
        var found = enter(0, at: 0, text, &states, &seen, &visits)
        for (position, byte) in text.enumerated() {
            try budget.spend(visits + states.count)
            visits = 0
            var following: [Int] = []
            found = false
            for state in states {
                guard case .bytes(let set) = instructions[state], set.contains(byte) else { continue }
                found = enter(state + 1, at: position + 1, text, &following, &seen, &visits) || found
            }
            states = following
            if states.isEmpty, !found { return false }
        }
        return found
    }

    /// Adds what can be reached from `state` without reading to `states`; true when that accepts.
    private func enter(
        _ state: Int, at position: Int, _ text: [UInt8], _ states: inout [Int], _ seen: inout [Int],
        _ visits: inout Int
    ) -> Bool {
        var pending = [state]
        var accepts = false
        while let state = pending.popLast() {
            visits += 1
            guard seen[state] != position else { continue }
            seen[state] = position
            switch instructions[state] {
            case .accept: accepts = true
            case .bytes: states.append(state)
            case .assertion(let assertion):
                if holds(assertion, at: position, text) { pending.append(state + 1) }
            case .fork(let first, let second):
                pending.append(first)
                if second != first { pending.append(second) }
            }
        }
        return accepts
    }

    private func holds(_ assertion: PatternNode.Assertion, at position: Int, _ text: [UInt8]) -> Bool {
        func isWord(_ place: Int) -> Bool { text.indices.contains(place) && ByteSet.word.contains(text[place]) }
        switch assertion {
        case .start: return position == 0
        case .end: return position == text.count
        case .wordBoundary: return isWord(position - 1) != isWord(position)
        case .notWordBoundary: return isWord(position - 1) == isWord(position)
        }
    }
}
