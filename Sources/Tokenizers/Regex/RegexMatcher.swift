/// Finds the matches of a program in one text, leftmost first, by backtracking with an explicit stack.
///
/// The fast program runs under a budget that grows with the text. When a text exhausts it, the rest is matched with the
/// expanded program and a memory of failed states, which bounds the work by instructions × length.
struct RegexMatcher {
    private struct Choice: BitwiseCopyable {
        var instruction: Int
        var position: Int
        /// For a loop: the shortest (greedy) or longest (lazy) end that is still to be tried; -1 for a plain choice.
        var bound: Int
    }

    private let text: ScalarText
    private let program: RegexProgram
    private var stack: [Choice] = []
    private var budget: Int
    private var failed: FailedStates?
    /// The last run of each set that an unlimited loop has found.
    private var runs: [Piece]

    /// `isBounded` is for the expanded program: states that failed are remembered, and there is no budget.
    init(_ program: RegexProgram, _ text: ScalarText, isBounded: Bool) {
        self.program = program
        self.text = text
        budget = isBounded ? .max : 10_000 + 64 * text.count
        runs = [Piece](repeating: Piece(start: 0, end: -1), count: program.sets.count)
        failed = isBounded ? FailedStates(program.instructions.count, text.count + 1) : nil
    }

    /// Whether the budget is used up; the last answer is then worth nothing.
    var isExhausted: Bool { budget <= 0 }

    /// The first match that begins at `start` or later.
    mutating func firstMatch(from start: Int) -> Piece? {
        var position = start
        failed?.forget(position: start)
        while true {
            if let first = program.firstBytes {
                while position < text.count, !canBegin(first, position) { position = text.scalar(at: position).next }
                if position >= text.count { return nil }
            }
            if let end = match(at: position, from: 0, depth: 0) { return Piece(start: position, end: end) }
            if isExhausted || position >= text.count { return nil }
            position = text.scalar(at: position).next
        }
    }

    private func canBegin(_ first: [Bool], _ position: Int) -> Bool {
        if text.form == .utf8 { return first[Int(text.base[position])] }
        let scalar = text.scalar(at: position).value
        return scalar >= 128 || first[Int(scalar)]
    }

    /// The end of the first match of the (sub-)program that begins at `instruction`.
    private mutating func match(at start: Int, from instruction: Int, depth: Int) -> Int? {
        let floor = stack.count
        defer { stack.removeSubrange(floor...) }
        // States of a sub-program may be asked again after it succeeded, so only the main program remembers.
        var seen: Set<Int> = []
        var pc = instruction
        var position = start
        while true {
            budget -= 1
            if budget <= 0 { return nil }
            var isAlive = true
            switch program.instructions[pc] {
            case .match: return position
            case .jump(let target): pc = target
            case .set(let index):
                isAlive = consume(index, &position)
                pc += 1
            case .loop(let index, let minimum, let maximum, let greed):
                isAlive = loop(index, minimum, maximum, greed, pc, &position)
                pc += 1
            case .split(let other, let first):
                if isNew(pc, position, depth, &seen) {
                    if first < 0 || begins(first, position) {
                        stack.append(Choice(instruction: other, position: position, bound: -1))
                        pc += 1
                    } else {
                        pc = other
                    }
                } else {
                    isAlive = false
                }
            case .splitLazily(let other):
                if isNew(pc, position, depth, &seen) {
                    stack.append(Choice(instruction: pc + 1, position: position, bound: -1))
                    pc = other
                } else {
                    isAlive = false
                }
            case .lookSet(let index, let isAhead, let isNegated):
                isAlive = sees(index, position, isAhead: isAhead) != isNegated
                pc += 1
            case .look(let end, let isAhead, let isNegated):
                let found =
                    isAhead
                    ? match(at: position, from: pc + 1, depth: depth + 1) != nil
                    : matchesBehind(position, from: pc + 1, depth: depth + 1)
                if budget <= 0 { return nil }
                isAlive = found != isNegated
                pc = end
            case .atomic(let end):
                if let reached = match(at: position, from: pc + 1, depth: depth + 1) {
                    position = reached
                } else {
                    isAlive = false
                }
                pc = end
            case .assertion(let assertion):
                isAlive = holds(assertion, position)
                pc += 1
            }
            if !isAlive, !backtrack(floor, &pc, &position) { return nil }
        }
    }

    /// Goes back to the last choice that has something left to try.
    private mutating func backtrack(_ floor: Int, _ pc: inout Int, _ position: inout Int) -> Bool {
        guard stack.count > floor, let choice = stack.last else { return false }
        pc = choice.instruction
        position = choice.position
        guard choice.bound >= 0, case .loop(let index, _, _, let greed) = program.instructions[choice.instruction - 1]
        else {
            stack.removeLast()
            return true
        }
        if greed == .greedy {
            position = text.scalar(before: choice.position).start
            if position <= choice.bound {
                stack.removeLast()
            } else {
                stack[stack.count - 1].position = position
            }
            return true
        }
        // A lazy loop takes one more scalar; `bound` counts how many it still may.
        guard choice.bound > 0, consume(index, &position) else {
            stack.removeLast()
            return backtrack(floor, &pc, &position)
        }
        stack[stack.count - 1].position = position
        stack[stack.count - 1].bound = choice.bound - 1
        return true
    }

    private mutating func isNew(_ pc: Int, _ position: Int, _ depth: Int, _ seen: inout Set<Int>) -> Bool {
        guard failed != nil else { return true }
        if depth == 0 { return failed?.enter(pc, position) ?? true }
        return seen.insert(pc * (text.count + 1) + position).inserted
    }

    @inline(__always)
    private func consume(_ index: Int, _ position: inout Int) -> Bool {
        guard position < text.count else { return false }
        let (scalar, next) = text.scalar(at: position)
        guard program.sets[index].contains(scalar) else { return false }
        position = next
        return true
    }

    private func begins(_ index: Int, _ position: Int) -> Bool {
        position < text.count && program.sets[index].contains(text.scalar(at: position).value)
    }

    private func sees(_ index: Int, _ position: Int, isAhead: Bool) -> Bool {
        if isAhead { return begins(index, position) }
        return position > 0 && program.sets[index].contains(text.scalar(before: position).value)
    }

    private mutating func loop(
        _ index: Int, _ minimum: Int, _ maximum: Int, _ greed: RegexNode.Greed, _ pc: Int, _ position: inout Int
    ) -> Bool {
        var count = 0
        while count < minimum {
            guard consume(index, &position) else { return false }
            count += 1
        }
        if greed == .lazy {
            if maximum > minimum {
                stack.append(Choice(instruction: pc + 1, position: position, bound: min(maximum - minimum, 1 << 40)))
            }
            return true
        }
        let shortest = position
        if maximum == .max {
            position = runEnd(index, position)
        } else {
            while count < maximum, consume(index, &position) { count += 1 }
            budget -= count / 4
        }
        if greed == .greedy, position > shortest {
            stack.append(Choice(instruction: pc + 1, position: position, bound: shortest))
        }
        return true
    }

    /// The end of the run of a set around `position`; asked again within the same run, it is remembered.
    private mutating func runEnd(_ index: Int, _ position: Int) -> Int {
        if runs[index].start <= position, position <= runs[index].end { return runs[index].end }
        var end = position
        while consume(index, &end) {}
        budget -= (end - position) / 4
        runs[index] = Piece(start: position, end: end)
        return end
    }

    /// Whether the sub-program matches some text that ends at `position`; it is tried from near to far.
    private mutating func matchesBehind(_ position: Int, from instruction: Int, depth: Int) -> Bool {
        var start = position
        var distance = 0
        while distance <= RegexProgram.longestLookBehind {
            let before = ScalarText(base: text.base, count: position, form: text.form)
            var matcher = RegexMatcher(program, before, isBounded: failed != nil)
            matcher.budget = budget
            let end = matcher.matchEnd(at: start, from: instruction, mustReach: position)
            budget = matcher.budget
            if end { return true }
            if start == 0 || budget <= 0 { return false }
            start = text.scalar(before: start).start
            distance += 1
        }
        return false
    }

    /// Whether the sub-program matches exactly from `start` to `end`.
    private mutating func matchEnd(at start: Int, from instruction: Int, mustReach end: Int) -> Bool {
        match(at: start, from: instruction, depth: 1) == end
    }

    private func holds(_ assertion: RegexNode.Assertion, _ position: Int) -> Bool {
        switch assertion {
        case .textStart: return position == 0
        case .textEnd: return position == text.count
        case .textEndOrLastLine:
            return position == text.count || (position == text.count - 1 && text.scalar(at: position).value == 0x0A)
        case .lineStart:
            return position == 0 || (position < text.count && text.scalar(before: position).value == 0x0A)
        case .lineEnd: return position == text.count || text.scalar(at: position).value == 0x0A
        case .wordBoundary: return isWord(before: position) != isWord(at: position)
        case .notWordBoundary: return isWord(before: position) == isWord(at: position)
        }
    }

    private func isWord(at position: Int) -> Bool {
        position < text.count && ScalarSet.word.contains(text.scalar(at: position).value)
    }

    private func isWord(before position: Int) -> Bool {
        position > 0 && ScalarSet.word.contains(text.scalar(before: position).value)
    }
}

/// The states (instruction, position) that have been entered and have not led to a match.
private struct FailedStates {
    private let stride: Int
    private var bits: [UInt64]

    init(_ instructions: Int, _ positions: Int) {
        stride = (instructions + 63) / 64
        bits = [UInt64](repeating: 0, count: stride * positions)
    }

    /// False when the state has been entered before.
    mutating func enter(_ instruction: Int, _ position: Int) -> Bool {
        let word = position * stride + instruction / 64
        let mask: UInt64 = 1 << UInt64(instruction % 64)
        guard bits[word] & mask == 0 else { return false }
        bits[word] |= mask
        return true
    }

    /// The states at the end of the last match were entered on its way: they did not fail.
    mutating func forget(position: Int) {
        for word in position * stride..<(position + 1) * stride { bits[word] = 0 }
    }
}
