/// Finds which of some names a part of the tree uses before it assigns them (Jinja's `find_undeclared`), or assigns.
struct NameScan {
    private var names: Set<String>
    private let isStore: Bool
    private(set) var found: Set<String> = []

    init(_ names: Set<String>, isStore: Bool) {
        self.names = names
        self.isStore = isStore
    }

    private mutating func load(_ name: String) {
        if !isStore, names.contains(name) { found.insert(name) }
    }

    private mutating func store(_ name: String) {
        if isStore {
            if names.contains(name) { found.insert(name) }
        } else {
            names.remove(name)
        }
    }

    /// Scans the target of an assignment.
    mutating func scan(_ target: Expression) {
        switch target.kind {
        case .name(let name, _): store(name)
        case .tuple(let items): for item in items { scan(item) }
        default: break
        }
    }

    mutating func scan(_ statements: [Statement]) {
        for statement in statements { scan(statement) }
    }

    private mutating func scan(value: Expression) {
        if isStore { return }
        if case .name(let name, _) = value.kind { return load(name) }
        for child in value.children { scan(value: child) }
    }

    private mutating func scan(_ macro: MacroNode) {
        for parameter in macro.parameters { store(parameter.name) }
        for parameter in macro.parameters { if let fallback = parameter.fallback { scan(value: fallback) } }
        scan(macro.body)
    }

    private mutating func scan(_ loop: LoopNode) {
        scan(loop.target)
        scan(value: loop.iterable)
        scan(loop.body)
        scan(loop.otherwise)
        if let test = loop.test { scan(value: test.condition) }
    }

    private mutating func scan(_ statement: Statement) {
        switch statement {
        case .text, .breakLoop, .continueLoop: break
        case .output(let value): scan(value: value)
        case .conditional(let branches, let otherwise):
            for branch in branches {
                scan(value: branch.test)
                scan(branch.body)
            }
            scan(otherwise)
        case .loop(let loop): scan(loop)
        case .assign(let target, let value):
            scan(target)
            scan(value: value)
        case .assignBlock(let target, let filter, let body, _):
            scan(target)
            if let filter { scan(value: filter) }
            scan(body)
        case .macro(let macro, _), .generation(let macro): scan(macro)
        case .call(let macro, let call):
            scan(value: call)
            scan(macro)
        case .filterBlock(let filter, let body, _):
            scan(body)
            scan(value: filter)
        case .with(let bindings, let body, _):
            for binding in bindings { scan(binding.target) }
            for binding in bindings { scan(value: binding.value) }
            scan(body)
        case .scope(let body, _): scan(body)
        }
    }
}

extension Expression {
    /// The expressions directly in this one, in the order in which Jinja visits them.
    var children: [Expression] {
        switch kind {
        case .literal, .name, .namespaceAttribute: []
        case .tuple(let items), .list(let items), .concat(let items): items
        case .dict(let items): items.flatMap { [$0.key, $0.value] }
        case .conditional(let test, let then, let otherwise): [test, then] + (otherwise.map { [$0] } ?? [])
        case .or(let left, let right), .and(let left, let right), .binary(_, let left, let right): [left, right]
        case .not(let operand), .negate(let operand), .positive(let operand), .attribute(let operand, _): [operand]
        case .compare(let first, let rest): [first] + rest.map(\.1)
        case .item(let operand, let index): [operand, index]
        case .slice(let start, let stop, let step): [start, stop, step].compactMap(\.self)
        case .call(let operand, let arguments), .test(let operand, _, let arguments): [operand] + arguments.expressions
        case .filter(let operand, _, let arguments): (operand.map { [$0] } ?? []) + arguments.expressions
        }
    }
}
