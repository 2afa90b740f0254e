extension Interpreter {
    /// How a statement ended.
    enum Flow {
        case normal
        case breakLoop
        case continueLoop
    }

    func execute(_ statements: [Statement]) throws(TemplateError) -> Flow {
        try enter()
        for statement in statements {
            let flow = try execute(statement)
            if flow != .normal {
                leave()
                return flow
            }
        }
        leave()
        return .normal
    }

    private func execute(_ statement: Statement) throws(TemplateError) -> Flow {
        try step()
        switch statement {
        case .text(let text): try write(text)
        case .output(let expression): try write(expression)
        case .conditional(let branches, let otherwise): return try execute(branches, otherwise)
        case .loop(let loop): return try execute(loop)
        case .assign(let target, let value): try assign(try evaluate(value), to: target)
        case .assignBlock(let target, let filter, let body, let scope):
            return try executeAssignment(target, filter, body, program.scopes[scope])
        case .macro(let node, let target): set(closure(node), at: program.names[target])
        case .call(let node, let call): try executeCall(node, call)
        case .generation(let node): try write(try call(Macro(node, in: activation), CallArguments()))
        case .filterBlock(let filter, let body, let scope):
            return try executeFilter(filter, body, program.scopes[scope])
        case .with(let bindings, let body, let scope):
            return try executeWith(bindings, body, program.scopes[scope])
        case .scope(let body, let scope):
            enter(program.scopes[scope])
            let flow = try execute(body)
            leave(program.scopes[scope])
            return flow
        case .breakLoop: return .breakLoop
        case .continueLoop: return .continueLoop
        }
        return .normal
    }

    // MARK: Output

    func write(_ text: Text) throws(TemplateError) {
        guard output.count + text.bytes.count <= limits.outputBytes else {
            throw TemplateError(.limit, "the rendering is longer than \(limits.outputBytes) bytes (limit outputBytes)")
        }
        try step(text.bytes.count / 32)
        output.append(contentsOf: text.bytes)
    }

    private func write(_ expression: Expression) throws(TemplateError) {
        let value = try evaluate(expression)
        line = expression.line
        try write(try text(of: value))
    }

    /// What a filter or call block makes is not turned into text.
    private func write(block value: Value) throws(TemplateError) {
        guard case .string(let text) = value else {
            throw TemplateError(.runtime, "the result of a block must be a string, not '\(value.typeName)'")
        }
        try write(text)
    }

    // MARK: Blocks

    private func execute(_ branches: [(test: Expression, body: [Statement])], _ otherwise: [Statement])
        throws(TemplateError) -> Flow
    {
        for branch in branches where try evaluate(branch.test).isTrue { return try execute(branch.body) }
        return otherwise.isEmpty ? .normal : try execute(otherwise)
    }

    /// A macro over the present variables.
    private func closure(_ node: MacroNode) -> Value {
        register(activation)
        return .macro(Macro(node, in: activation))
    }

    private func executeCall(_ node: MacroNode, _ expression: Expression) throws(TemplateError) {
        guard case .call(let callee, let arguments) = expression.kind else { return }
        let function = try evaluate(callee)
        var values = try evaluate(arguments)
        guard !values.keywords.contains(where: { $0.name == "caller" }) else {
            throw TemplateError(.runtime, "got multiple values for keyword argument 'caller'", line: expression.line)
        }
        values.keywords.append(("caller", closure(node)))
        line = expression.line
        try write(block: try call(function, values))
    }

    private func executeAssignment(
        _ target: Expression, _ filter: Expression?, _ body: [Statement], _ scope: Program.Scope
    ) throws(TemplateError) -> Flow {
        enter(scope)
        var flow = Flow.normal
        let text = try capture { () throws(TemplateError) in flow = try execute(body) }
        guard flow == .normal else { return flow }
        let value = try filter.map { filter throws(TemplateError) in try evaluate(filter, over: text) }
        try assign(value ?? .string(text), to: target)
        leave(scope)
        return .normal
    }

    private func executeFilter(_ filter: Expression, _ body: [Statement], _ scope: Program.Scope) throws(TemplateError)
        -> Flow
    {
        enter(scope)
        var flow = Flow.normal
        let text = try capture { () throws(TemplateError) in flow = try execute(body) }
        guard flow == .normal else { return flow }
        try write(block: try evaluate(filter, over: text))
        leave(scope)
        return .normal
    }

    private func executeWith(
        _ bindings: [(target: Expression, value: Expression)], _ body: [Statement], _ scope: Program.Scope
    ) throws(TemplateError) -> Flow {
        enter(scope)
        for binding in bindings { try assign(try evaluate(binding.value), to: binding.target) }
        let flow = try execute(body)
        leave(scope)
        return flow
    }

    // MARK: Assignment

    func assign(_ value: Value, to target: Expression) throws(TemplateError) {
        switch target.kind {
        case .name(_, let id): set(value, at: program.names[id])
        case .namespaceAttribute(_, let attribute, let id):
            line = target.line
            guard case .namespace(let namespace) = self.value(at: program.names[id]) else {
                throw TemplateError(.runtime, "cannot assign attribute on non-namespace object")
            }
            try set(value, attribute, of: namespace)
        case .tuple(let targets):
            line = target.line
            let values = try unpack(value, count: targets.count)
            for (target, value) in zip(targets, values) { try assign(value, to: target) }
        default: break
        }
    }

    func set(_ value: Value, _ attribute: Text, of namespace: Namespace) throws(TemplateError) {
        guard attribute.bytes.first != UInt8(ascii: "_") else {
            throw TemplateError(
                .security,
                "chat templates cannot store underscore-prefixed attributes on a namespace, but got '\(attribute.string)'"
            )
        }
        try charge(elements: 1)
        namespace.attributes.set(value, for: attribute)
    }

    private func unpack(_ value: Value, count: Int) throws(TemplateError) -> [Value] {
        var cursor = try self.cursor(over: value)
        var values: [Value] = []
        while let next = try cursor.next(self) {
            guard values.count < count else {
                throw TemplateError(.runtime, "too many values to unpack (expected \(count))")
            }
            values.append(next)
        }
        guard values.count == count else {
            throw TemplateError(.runtime, "not enough values to unpack (expected \(count), got \(values.count))")
        }
        return values
    }
}
