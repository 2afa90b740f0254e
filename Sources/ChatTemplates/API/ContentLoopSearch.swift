/// Looks for `{% for part in message['content'] %}`, where `message` comes from a loop over `messages`.
///
/// The rules are those of vLLM's `auto` detection: assignments are followed for `messages`, filters, tests and slices are
/// looked through, and scopes are ignored.
struct ContentLoopSearch {
    private var assignments: [(target: Expression, value: Expression)] = []
    private var loops: [LoopNode] = []
    private(set) var isFound = false

    mutating func search(_ body: [Statement]) {
        collect(body)
        var lists: Set<String> = ["messages"]
        var pending = ["messages"]
        while let name = pending.popLast() {
            for assignment in assignments where reads(assignment.value, name) {
                guard case .name(let target, _) = assignment.target.kind else { return }
                if lists.insert(target).inserted { pending.append(target) }
            }
        }
        var items: Set<String> = []
        for loop in loops where lists.contains(where: { reads(loop.iterable, $0) }) {
            guard case .name(let target, _) = loop.target.kind else { return }
            items.insert(target)
        }
        for loop in loops where items.contains(where: { reads(loop.iterable, $0, key: "content") }) {
            guard case .name = loop.target.kind else { return }
            isFound = true
        }
    }

    /// Whether `value` is the variable `name`, or its member `key`, perhaps filtered or sliced.
    private func reads(_ value: Expression, _ name: String, key: Text? = nil) -> Bool {
        switch value.kind {
        case .filter(let operand, _, _): return operand.map { reads($0, name, key: key) } ?? false
        case .test(let operand, _, _): return reads(operand, name, key: key)
        case .item(let operand, let index):
            if case .slice = index.kind { return reads(operand, name, key: key) }
            guard let key, case .literal(.string(let text)) = index.kind else { return false }
            return text == key && reads(operand, name)
        case .attribute(let operand, let attribute): return attribute == key && reads(operand, name)
        case .name(let variable, _): return key == nil && variable == name
        default: return false
        }
    }

    private mutating func collect(_ statements: [Statement]) {
        for statement in statements {
            switch statement {
            case .text, .output, .breakLoop, .continueLoop: break
            case .conditional(let branches, let otherwise):
                for branch in branches { collect(branch.body) }
                collect(otherwise)
            case .loop(let loop):
                loops.append(loop)
                collect(loop.body)
                collect(loop.otherwise)
            case .assign(let target, let value): assignments.append((target, value))
            case .assignBlock(_, _, let body, _), .filterBlock(_, let body, _), .with(_, let body, _),
                .scope(let body, _):
                collect(body)
            case .macro(let macro, _), .call(let macro, _), .generation(let macro): collect(macro.body)
            }
        }
    }
}
