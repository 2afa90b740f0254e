/// Decides what every name of a template refers to, as Jinja's compiler does before anything runs.
struct Resolver {
    private var names: [Program.Reference]
    private var scopes: [Program.Scope]
    private let limits: TemplateLimits
    /// What copies of symbol tables may still cost.
    private var budget = 5_000_000

    static func program(_ body: [Statement], names: Int, scopes: Int, limits: TemplateLimits) throws(TemplateError)
        -> Program
    {
        var resolver = Resolver(names: names, scopes: scopes, limits: limits)
        let symbols = Symbols(parent: nil, function: FunctionLayout(depth: 0))
        try resolver.analyse(body, symbols)
        try resolver.visit(body, symbols, isSoft: false)
        let root = resolver.scope(symbols, isFunction: true)
        return Program(body: body, names: resolver.names, scopes: resolver.scopes, root: root)
    }

    private init(names: Int, scopes: Int, limits: TemplateLimits) {
        self.names = Array(repeating: Program.Reference(hops: 0, index: 0), count: names)
        self.scopes = Array(repeating: Program.Scope(), count: scopes)
        self.limits = limits
    }

    private func reference(_ slot: Slot, from symbols: Symbols) -> Program.Reference {
        Program.Reference(hops: symbols.function.depth - slot.function, index: slot.index)
    }

    private func scope(_ symbols: Symbols, isFunction: Bool) -> Program.Scope {
        let entries = symbols.loads.sorted { $0.key.index < $1.key.index }.map { slot, load in
            let action: Program.Entry.Action =
                switch load {
                case .parameter: .parameter
                case .resolve(let name): .resolve(name)
                case .alias(let outer): .alias(reference(outer, from: symbols))
                case .undefined: .undefined
                }
            return Program.Entry(index: slot.index, action: action)
        }
        return Program.Scope(entries: entries, slotCount: isFunction ? symbols.function.slotCount : 0)
    }

    // MARK: Analysis of one scope (Jinja's FrameSymbolVisitor)

    private mutating func analyse(_ statements: [Statement], _ symbols: Symbols) throws(TemplateError) {
        for statement in statements { try analyse(statement, symbols) }
    }

    private mutating func analyse(_ statement: Statement, _ symbols: Symbols) throws(TemplateError) {
        switch statement {
        case .text, .breakLoop, .continueLoop, .generation, .scope: break
        case .output(let value): load(value, symbols)
        case .conditional(let branches, let otherwise):
            try analyse(branches[...], otherwise, symbols)
        case .loop(let loop): load(loop.iterable, symbols)
        case .assign(let target, let value):
            load(value, symbols)
            store(target, symbols)
        case .assignBlock(let target, _, _, _): store(target, symbols)
        case .macro(let macro, _): if let name = macro.name { symbols.store(name) }
        case .call(_, let call): load(call, symbols)
        case .filterBlock(let filter, _, _): load(filter, symbols)
        case .with(let bindings, _, _): for binding in bindings { load(binding.value, symbols) }
        }
    }

    private mutating func analyse(
        _ branches: ArraySlice<(test: Expression, body: [Statement])>, _ otherwise: [Statement], _ symbols: Symbols
    ) throws(TemplateError) {
        guard let first = branches.first else { return }
        load(first.test, symbols)
        let body = try branch(symbols)
        try analyse(first.body, body)
        let alternatives = try branch(symbols)
        for alternative in branches.dropFirst() {
            try analyse([alternative], [], alternatives)
        }
        let last = try branch(symbols)
        try analyse(otherwise, last)
        symbols.merge([body, alternatives, last])
    }

    private mutating func branch(_ symbols: Symbols) throws(TemplateError) -> Symbols {
        budget -= symbols.size
        guard budget > 0 else {
            throw TemplateError(.limit, "the template has too many names in too many conditionals")
        }
        return symbols.copy()
    }

    private func load(_ value: Expression, _ symbols: Symbols) {
        if case .name(let name, _) = value.kind { return symbols.load(name) }
        for child in value.children { load(child, symbols) }
    }

    private func store(_ target: Expression, _ symbols: Symbols) {
        switch target.kind {
        case .name(let name, _): symbols.store(name)
        case .namespaceAttribute(let name, _, _): symbols.load(name)
        case .tuple(let items): for item in items { store(item, symbols) }
        default: break
        }
    }

    private func declare(_ target: Expression, _ symbols: Symbols) {
        switch target.kind {
        case .name(let name, _): symbols.declareParameter(name)
        case .tuple(let items): for item in items { declare(item, symbols) }
        default: break
        }
    }

    // MARK: Visiting (Jinja's CodeGenerator)

    private mutating func visit(_ statements: [Statement], _ symbols: Symbols, isSoft: Bool) throws(TemplateError) {
        for statement in statements { try visit(statement, symbols, isSoft: isSoft) }
    }

    private mutating func visit(_ statement: Statement, _ symbols: Symbols, isSoft: Bool) throws(TemplateError) {
        switch statement {
        case .text, .breakLoop, .continueLoop: break
        case .output(let value): try visit(value, symbols, isSoft: isSoft)
        case .conditional(let branches, let otherwise):
            for branch in branches {
                try visit(branch.test, symbols, isSoft: true)
                try visit(branch.body, symbols, isSoft: true)
            }
            try visit(otherwise, symbols, isSoft: true)
        case .loop(let loop): try visit(loop, symbols, isSoft: isSoft)
        case .assign(let target, let value):
            try visit(target, symbols, isSoft: isSoft)
            try visit(value, symbols, isSoft: isSoft)
        case .assignBlock(let target, let filter, let body, let scope):
            let inner = try enterScope(body, symbols, scope) { _, _ in }
            if let filter { try visit(filter, inner, isSoft: false) }
            scopes[scope] = self.scope(inner, isFunction: false)
            try visit(target, symbols, isSoft: isSoft)
        case .macro(let macro, let target):
            if let name = macro.name { resolve(name, id: target, symbols) }
            try visit(macro, symbols)
        case .generation(let macro): try visit(macro, symbols)
        case .call(let macro, let call):
            try visit(macro, symbols)
            try visit(call, symbols, isSoft: isSoft)
        case .filterBlock(let filter, let body, let scope):
            let inner = try enterScope(body, symbols, scope) { $0.load(filter, $1) }
            try visit(filter, inner, isSoft: false)
        case .with(let bindings, let body, let scope):
            for binding in bindings { try visit(binding.value, symbols, isSoft: isSoft) }
            let inner = Symbols(parent: symbols, function: symbols.function)
            for binding in bindings { declare(binding.target, inner) }
            try analyse(body, inner)
            for binding in bindings { try visit(binding.target, inner, isSoft: false) }
            try visit(body, inner, isSoft: false)
            scopes[scope] = self.scope(inner, isFunction: false)
        case .scope(let body, let scope): _ = try enterScope(body, symbols, scope) { _, _ in }
        }
    }

    /// Resolves a body that has a scope of its own. The scope's entries are final unless the caller visits more in it.
    private mutating func enterScope(
        _ body: [Statement], _ symbols: Symbols, _ scope: Int, also: (Resolver, Symbols) -> Void
    ) throws(TemplateError) -> Symbols {
        let inner = Symbols(parent: symbols, function: symbols.function)
        try analyse(body, inner)
        also(self, inner)
        try visit(body, inner, isSoft: false)
        scopes[scope] = self.scope(inner, isFunction: false)
        return inner
    }

    private mutating func visit(_ loop: LoopNode, _ symbols: Symbols, isSoft: Bool) throws(TemplateError) {
        try visit(loop.iterable, symbols, isSoft: isSoft)
        let function = loop.isRecursive ? FunctionLayout(depth: symbols.function.depth + 1) : symbols.function
        let body = Symbols(parent: symbols, function: function)
        if loop.usesLoop {
            body.declareParameter("loop")
            resolve("loop", id: loop.loopID, body)
        }
        declare(loop.target, body)
        try analyse(loop.body, body)
        let otherwise = Symbols(parent: symbols, function: function, prefix: "else\(loop.elseScope)_")
        try analyse(loop.otherwise, otherwise)
        if let test = loop.test {
            let inner = Symbols(parent: symbols, function: function, prefix: "test\(loop.testScope)_")
            declare(test.target, inner)
            load(test.condition, inner)
            try visit(test.target, inner, isSoft: false)
            try visit(test.condition, inner, isSoft: false)
            scopes[loop.testScope] = scope(inner, isFunction: false)
        }
        try visit(loop.target, body, isSoft: false)
        try visit(loop.body, body, isSoft: false)
        try visit(loop.otherwise, otherwise, isSoft: false)
        scopes[loop.elseScope] = scope(otherwise, isFunction: false)
        scopes[loop.scope] = scope(body, isFunction: loop.isRecursive)
    }

    private mutating func visit(_ macro: MacroNode, _ symbols: Symbols) throws(TemplateError) {
        let inner = Symbols(parent: symbols, function: FunctionLayout(depth: symbols.function.depth + 1))
        for _ in 0..<2 {
            for parameter in macro.parameters { inner.declareParameter(parameter.name) }
            for parameter in macro.parameters { if let fallback = parameter.fallback { load(fallback, inner) } }
            try analyse(macro.body, inner)
            if macro.usesCaller, !macro.parameters.contains(where: { $0.name == "caller" }) {
                inner.declareParameter("caller")
            }
            if macro.usesKeywords { inner.declareParameter("kwargs") }
            if macro.usesPositional { inner.declareParameter("varargs") }
        }
        for parameter in macro.parameters {
            resolve(parameter.name, id: parameter.id, inner)
            if let fallback = parameter.fallback { try visit(fallback, inner, isSoft: false) }
        }
        if macro.usesCaller { resolve("caller", id: macro.callerID, inner) }
        if macro.usesKeywords { resolve("kwargs", id: macro.keywordsID, inner) }
        if macro.usesPositional { resolve("varargs", id: macro.positionalID, inner) }
        try visit(macro.body, inner, isSoft: false)
        scopes[macro.scope] = scope(inner, isFunction: true)
    }

    private mutating func resolve(_ name: String, id: Int, _ symbols: Symbols) {
        symbols.load(name)
        if let slot = symbols.find(name) { names[id] = reference(slot, from: symbols) }
    }

    /// Resolves the names in an expression. A filter or test that does not exist is an error right away, unless a
    /// conditional may keep it from being reached.
    private mutating func visit(_ value: Expression, _ symbols: Symbols, isSoft: Bool) throws(TemplateError) {
        var isSoft = isSoft
        switch value.kind {
        case .name(let name, let id), .namespaceAttribute(let name, _, let id): return resolve(name, id: id, symbols)
        case .conditional: isSoft = true
        case .filter(_, let name, _):
            if !isSoft, !Filters.exists(name) { throw Filters.unknown(name, line: value.line) }
        case .test(_, let name, _):
            if !isSoft, !Tests.exists(name) { throw Tests.unknown(name, line: value.line) }
        default: break
        }
        for child in value.children { try visit(child, symbols, isSoft: isSoft) }
    }
}
