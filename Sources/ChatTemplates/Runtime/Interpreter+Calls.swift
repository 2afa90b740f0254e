extension Interpreter {
    func call(_ function: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        switch function {
        case .method(let method): return try call(method.name, on: method.receiver, arguments)
        case .macro(let macro): return .string(try call(macro, arguments))
        case .function(let function): return try call(function, arguments)
        case .loop(let loop): return .string(try call(loop, arguments))
        case .joiner(let joiner):
            _ = try arguments.bind("joiner", [])
            defer { joiner.isUsed = true }
            return joiner.isUsed ? joiner.separator : .string(.empty)
        case .undefined(let undefined): throw undefined.error
        default: throw TemplateError(.runtime, "'\(function.typeName)' object is not callable")
        }
    }

    /// `loop(…)` in a recursive loop: runs its body again over the argument.
    private func call(_ loop: LoopContext, _ arguments: CallArguments) throws(TemplateError) -> Text {
        let iterable = try arguments.bind("loop", ["iterable"], required: 1)[0] ?? .none
        guard let recursion = loop.recursion else {
            throw TemplateError(.runtime, "The loop must have the 'recursive' marker to be called recursively.")
        }
        return try runRecursive(recursion.node, over: iterable, in: recursion.activation, depth: loop.depth0 + 1)
    }

    // MARK: Macros

    /// Runs a macro and returns what it prints.
    func call(_ macro: Macro, _ arguments: CallArguments) throws(TemplateError) -> Text {
        try enter()
        let node = macro.node
        let callLine = line
        let bound = try bind(macro, arguments)
        let outer = activation
        let scope = program.scopes[node.scope]
        activation = Activation(count: scope.slotCount, parent: macro.activation)
        for (parameter, value) in zip(node.parameters, bound.parameters) {
            activation.slots[program.names[parameter.id].index] = value
        }
        if let caller = bound.caller { set(caller, at: program.names[node.callerID]) }
        if let keywords = bound.keywords { set(keywords, at: program.names[node.keywordsID]) }
        if let rest = bound.rest { set(rest, at: program.names[node.positionalID]) }
        enter(scope)
        for (parameter, value) in zip(node.parameters, bound.parameters) where value == nil {
            set(
                try parameter.fallback.map { fallback throws(TemplateError) in try evaluate(fallback) }
                    ?? .undefined("parameter '\(parameter.name)' was not provided"),
                at: program.names[parameter.id])
        }
        let text = try capture { () throws(TemplateError) in _ = try execute(node.body) }
        activation = outer
        line = callLine
        leave()
        return text
    }

    private struct BoundParameters {
        var parameters: [Value?]
        var caller: Value?
        var keywords: Value?
        var rest: Value?
    }

    /// Assigns arguments to a macro's parameters, by the rules of Jinja's `runtime.Macro`.
    private func bind(_ macro: Macro, _ arguments: CallArguments) throws(TemplateError) -> BoundParameters {
        let node = macro.node
        var keywords = arguments.keywords
        func take(_ name: String) -> Value? {
            keywords.firstIndex { $0.name == name }.map { keywords.remove(at: $0).value }
        }
        var bound = BoundParameters(parameters: Array(arguments.positional.prefix(node.parameters.count)))
        for parameter in node.parameters[bound.parameters.count...] {
            bound.parameters.append(take(parameter.name))
        }
        let hasOwnCaller = node.parameters.contains { $0.name == "caller" }
        if node.usesCaller, !hasOwnCaller {
            bound.caller = take("caller") ?? .undefined("No caller defined")
        }
        let name = node.name.map { "'\($0)'" } ?? "None"
        if node.usesKeywords {
            bound.keywords = try dict(MappingTable(keywords.map { (Text($0.name), $0.value) }))
        } else if let surplus = keywords.first {
            throw TemplateError(
                .runtime,
                keywords.contains { $0.name == "caller" }
                    ? "macro \(name) was invoked with two values for the special caller argument. "
                        + "This is most likely a bug."
                    : "macro \(name) takes no keyword argument '\(surplus.name)'")
        }
        let rest = Array(arguments.positional.dropFirst(node.parameters.count))
        if node.usesPositional {
            bound.rest = try tuple(rest)
        } else if !rest.isEmpty {
            throw TemplateError(
                .runtime, "macro \(name) takes not more than \(node.parameters.count) argument(s)")
        }
        return bound
    }
}
