extension Parser {
    /// Statements up to a tag named in `ends`, which becomes the current token; up to the end of the template if empty.
    mutating func statements(until ends: [String]) throws(TemplateError) -> [Statement] {
        try enter()
        var body: [Statement] = []
        while true {
            switch current.kind {
            case .text(let text):
                next()
                body.append(.text(text))
            case .variableBegin:
                next()
                body.append(.output(try tuple()))
                try expect(.variableEnd)
            case .blockBegin:
                next()
                if case .name(let name) = current.kind, ends.contains(name) {
                    leave()
                    return body
                }
                body.append(contentsOf: try statement(expected: ends))
                try expect(.blockEnd)
            default:
                guard ends.isEmpty else { throw missingEnd(ends) }
                leave()
                return body
            }
        }
    }

    private func missingEnd(_ ends: [String]) -> TemplateError {
        let tags = ends.map { "'\($0)'" }.joined(separator: " or ")
        let innermost = openTags.last.map { " The innermost block that needs to be closed is '\($0)'." } ?? ""
        return failure("Unexpected end of template. Jinja was looking for the following tags: \(tags).\(innermost)")
    }

    /// The body of a block tag whose head has been read, up to one of `ends`, which becomes the current token.
    private mutating func block(until ends: String...) throws(TemplateError) -> [Statement] {
        _ = skip(symbol: ":")
        try expect(.blockEnd)
        return try statements(until: ends)
    }

    private mutating func statement(expected: [String]) throws(TemplateError) -> [Statement] {
        guard case .name(let tag) = current.kind else { throw failure("tag name expected") }
        openTags.append(tag)
        defer { openTags.removeLast() }
        let line = current.line
        next()
        switch tag {
        case "if": return [try conditional()]
        case "for": return [try loop(line: line)]
        case "set": return [try assignment(line: line)]
        case "macro": return [try macro(line: line)]
        case "call": return [try callBlock(line: line)]
        case "filter": return [try filterBlock()]
        case "with": return [try with()]
        case "generation": return [try generation(line: line)]
        case "print": return try printed()
        case "autoescape": return [try autoescape()]
        case "break", "continue":
            guard loopDepth > 0 else { throw failure("'\(tag)' outside loop", line: line) }
            return [tag == "break" ? .breakLoop : .continueLoop]
        case "include", "import", "from", "extends", "block", "do", "trans", "debug":
            throw failure(
                "the tag '\(tag)' is not supported: a chat template is one self-contained file", line: line,
                kind: .unsupported)
        default:
            let tags = expected.map { "'\($0)'" }.joined(separator: " or ")
            let looking = expected.isEmpty ? "" : " Jinja was looking for the following tags: \(tags)."
            throw failure("Encountered unknown tag '\(tag)'.\(looking)", line: line)
        }
    }

    private mutating func conditional() throws(TemplateError) -> Statement {
        var branches: [(test: Expression, body: [Statement])] = []
        var otherwise: [Statement] = []
        var isOpen = true
        while isOpen {
            let test = try tuple(conditional: false)
            branches.append((test, try block(until: "elif", "else", "endif")))
            let end = next()
            if end.isName("elif") { continue }
            if end.isName("else") {
                otherwise = try block(until: "endif")
                next()
            }
            isOpen = false
        }
        return .conditional(branches, otherwise: otherwise)
    }

    private mutating func loop(line: Int) throws(TemplateError) -> Statement {
        let targetStart = current.line
        let target = try assignmentTarget(end: "in")
        try expect(name: "in")
        let iterable = try tuple(conditional: false, end: "recursive")
        let condition = skip(name: "if") ? try expression() : nil
        let isRecursive = skip(name: "recursive")
        loopDepth += 1
        let body = try block(until: "endfor", "else")
        loopDepth -= 1
        var otherwise: [Statement] = []
        if next().isName("else") {
            otherwise = try block(until: "endfor")
            next()
        }
        var stored = NameScan(["loop"], isStore: true)
        stored.scan(target)
        stored.scan(body)
        stored.scan(otherwise)
        guard stored.found.isEmpty else {
            throw failure("Can't assign to special loop variable in for-loop target", line: targetStart)
        }
        var loaded = NameScan(["loop"], isStore: false)
        loaded.scan(body)
        let test = try condition.map { condition throws(TemplateError) in (try copy(target), condition) }
        return .loop(
            LoopNode(
                line: line, target: target, iterable: iterable, test: test, body: body, otherwise: otherwise,
                isRecursive: isRecursive, usesLoop: isRecursive || !loaded.found.isEmpty,
                scopes: (newScope(), newScope(), newScope()), loopID: newName()))
    }

    /// The same target with names of its own numbers.
    private mutating func copy(_ target: Expression) throws(TemplateError) -> Expression {
        switch target.kind {
        case .tuple(let items):
            var copies: [Expression] = []
            for item in items { copies.append(try copy(item)) }
            return try make(.tuple(copies), line: target.line, copies)
        case .name(let name, _): return try make(.name(name, id: newName()), line: target.line)
        default: return target
        }
    }

    /// A name or a tuple of names; with `allowsNamespace`, attributes of namespaces too.
    private mutating func assignmentTarget(end: String? = nil, allowsNamespace: Bool = false) throws(TemplateError)
        -> Expression
    {
        let target = try tuple(end: end, targets: true, allowsNamespace: allowsNamespace)
        try checkTarget(target)
        return target
    }

    private func checkTarget(_ target: Expression) throws(TemplateError) {
        switch target.kind {
        case .name, .namespaceAttribute: return
        case .tuple(let items): for item in items { try checkTarget(item) }
        case .literal: throw failure("can't assign to 'const'", line: target.line)
        default: throw failure("can't assign to this expression", line: target.line)
        }
    }

    private mutating func assignment(line: Int) throws(TemplateError) -> Statement {
        let target = try assignmentTarget(allowsNamespace: true)
        if skip(symbol: "=") { return .assign(target: target, value: try tuple()) }
        var filter: Expression?
        while skip(symbol: "|") { filter = try self.filter(filter) }
        let body = try block(until: "endset")
        next()
        return .assignBlock(target: target, filter: filter, body: body, scope: newScope())
    }

    private mutating func with() throws(TemplateError) -> Statement {
        var bindings: [(target: Expression, value: Expression)] = []
        while current.kind != .blockEnd {
            if !bindings.isEmpty { try expect(symbol: ",") }
            let target = try assignmentTarget()
            try expect(symbol: "=")
            bindings.append((target, try expression()))
        }
        let body = try block(until: "endwith")
        next()
        return .with(bindings, body: body, scope: newScope())
    }

    private mutating func autoescape() throws(TemplateError) -> Statement {
        let line = current.line
        guard case .literal(.bool(false)) = try expression().kind else {
            throw failure("autoescape is not supported: prompts are not HTML", line: line, kind: .unsupported)
        }
        let body = try block(until: "endautoescape")
        next()
        return .scope(body, scope: newScope())
    }

    private mutating func printed() throws(TemplateError) -> [Statement] {
        var outputs: [Statement] = []
        while current.kind != .blockEnd {
            if !outputs.isEmpty { try expect(symbol: ",") }
            outputs.append(.output(try expression()))
        }
        return outputs
    }

    private mutating func filterBlock() throws(TemplateError) -> Statement {
        var filter = try self.filter(nil)
        while skip(symbol: "|") { filter = try self.filter(filter) }
        let body = try block(until: "endfilter")
        next()
        return .filterBlock(filter, body: body, scope: newScope())
    }

    // MARK: Macros

    private typealias Parameters = [(name: String, id: Int, fallback: Expression?)]

    private mutating func signature() throws(TemplateError) -> Parameters {
        var parameters: Parameters = []
        try expect(symbol: "(")
        while !current.isSymbol(")") {
            if !parameters.isEmpty { try expect(symbol: ",") }
            let line = current.line
            let name = try expectName()
            var fallback: Expression?
            if skip(symbol: "=") {
                fallback = try expression()
            } else if parameters.last?.fallback != nil {
                throw failure("non-default argument follows default argument")
            }
            guard !parameters.contains(where: { $0.name == name }) else {
                throw failure("duplicate argument '\(name)' in function definition", line: line)
            }
            parameters.append((name, newName(), fallback))
        }
        try expect(symbol: ")")
        return parameters
    }

    private mutating func macro(line: Int) throws(TemplateError) -> Statement {
        let name = try expectName()
        let target = newName()
        let parameters = try signature()
        return .macro(try macroNode(line: line, name: name, parameters, end: "endmacro"), target: target)
    }

    private mutating func callBlock(line: Int) throws(TemplateError) -> Statement {
        let parameters = current.isSymbol("(") ? try signature() : []
        let call = try expression()
        guard case .call = call.kind else { throw failure("expected call", line: line) }
        return .call(try macroNode(line: line, name: nil, parameters, end: "endcall"), call)
    }

    private mutating func generation(line: Int) throws(TemplateError) -> Statement {
        .generation(try macroNode(line: line, name: nil, [], end: "endgeneration"))
    }

    private mutating func macroNode(line: Int, name: String?, _ parameters: Parameters, end: String)
        throws(TemplateError) -> MacroNode
    {
        let outerLoops = loopDepth
        loopDepth = 0
        let body = try block(until: end)
        next()
        loopDepth = outerLoops
        var scan = NameScan(["caller", "kwargs", "varargs"], isStore: false)
        scan.scan(body)
        let names = parameters.map(\.name)
        if scan.found.contains("caller"), let explicit = parameters.first(where: { $0.name == "caller" }),
            explicit.fallback == nil
        {
            throw failure(
                "When defining macros or call blocks the special \"caller\" argument must be omitted or be given a default.",
                line: line)
        }
        return MacroNode(
            line: line, name: name, parameters: parameters, body: body, scope: newScope(),
            uses: (
                scan.found.contains("caller"), scan.found.contains("kwargs") && !names.contains("kwargs"),
                scan.found.contains("varargs") && !names.contains("varargs")
            ), ids: (newName(), newName(), newName()))
    }
}
