/// The `loop` variable: the state of one `{% for %}`.
final class LoopContext {
    private(set) var cursor: Cursor
    private(set) var index0 = -1
    /// How many recursive loops are around.
    let depth0: Int
    /// What a call of the variable runs again, in a recursive loop.
    let recursion: (node: LoopNode, activation: Activation)?
    private var before: Value?
    private var currentItem: Value?
    /// The next item, when it was looked at ahead of time: `.some(nil)` at the end.
    private var after: Value??
    private var knownLength: Int?
    private var lastChanged: [Value]?

    init(_ cursor: Cursor, depth: Int, recursion: (node: LoopNode, activation: Activation)?) {
        self.cursor = cursor
        depth0 = depth
        self.recursion = recursion
        knownLength = cursor.count
    }

    /// Moves on to the next item; nil at the end.
    func advance(_ interpreter: Interpreter) throws(TemplateError) -> Value? {
        let item = try peek(interpreter)
        after = nil
        guard let item else { return nil }
        index0 += 1
        before = currentItem
        currentItem = item
        return item
    }

    private func peek(_ interpreter: Interpreter) throws(TemplateError) -> Value? {
        if let after { return after }
        let next = try cursor.next(interpreter)
        after = .some(next)
        return next
    }

    func isLast(_ interpreter: Interpreter) throws(TemplateError) -> Bool { try peek(interpreter) == nil }

    func previous() -> Value { index0 == 0 ? .undefined("there is no previous item") : before ?? .none }

    func following(_ interpreter: Interpreter) throws(TemplateError) -> Value {
        try peek(interpreter) ?? .undefined("there is no next item")
    }

    /// The number of items. An iterator is run to its end to learn it.
    func length(_ interpreter: Interpreter) throws(TemplateError) -> Int {
        if let knownLength { return knownLength }
        var rest: [Value] = []
        while let next = try cursor.next(interpreter) {
            try interpreter.charge(elements: 1)
            rest.append(next)
        }
        cursor = .values(rest, 0)
        var ahead = 0
        if case .some(.some) = after { ahead = 1 }
        // The end was seen already: more cannot come.
        if case .some(nil) = after { cursor = .values([], 0) }
        let length = rest.count + index0 + 1 + ahead
        knownLength = length
        return length
    }

    /// Whether `values` differ from those of the last call.
    func hasChanged(_ values: [Value]) -> Bool {
        if let lastChanged, Value.tuple(lastChanged).isEqual(to: .tuple(values)) { return false }
        lastChanged = values
        return true
    }

    /// Lets go of all values, some of which may hold this object.
    func forget() {
        (before, currentItem, after, lastChanged) = (nil, nil, nil, nil)
        cursor = .values([], 0)
    }
}

extension Interpreter {
    func execute(_ loop: LoopNode) throws(TemplateError) -> Flow {
        let iterable = try evaluate(loop.iterable)
        line = loop.line
        if loop.isRecursive {
            register(activation)
            try write(try runRecursive(loop, over: iterable, in: activation, depth: 0))
            return .normal
        }
        return try run(loop, over: iterable, depth: 0, recursion: nil)
    }

    /// Runs a recursive loop over `iterable`, in an activation of its own, and returns what it prints.
    func runRecursive(_ loop: LoopNode, over iterable: Value, in parent: Activation, depth: Int) throws(TemplateError)
        -> Text
    {
        try enter()
        let outer = activation
        activation = Activation(count: program.scopes[loop.scope].slotCount, parent: parent)
        register(activation)
        let text = try capture { () throws(TemplateError) in
            _ = try run(loop, over: iterable, depth: depth, recursion: (loop, parent))
        }
        activation = outer
        leave()
        return text
    }

    private func run(
        _ loop: LoopNode, over iterable: Value, depth: Int, recursion: (node: LoopNode, activation: Activation)?
    ) throws(TemplateError) -> Flow {
        var cursor = try self.cursor(over: iterable)
        if let test = loop.test { cursor = .iterator(filtered(cursor, test, loop)) }
        let context = loop.usesLoop ? LoopContext(cursor, depth: depth, recursion: recursion) : nil
        if let context { register(context) }
        let scope = program.scopes[loop.scope]
        // As in Jinja, an iteration that ends by `break` or `continue` does not keep `else` from running.
        var isElse = true
        while let item = try context == nil ? cursor.next(self) : context?.advance(self) {
            try step()
            if let context { set(.loop(context), at: program.names[loop.loopID]) }
            try assign(item, to: loop.target)
            enter(scope)
            let flow = try execute(loop.body)
            if flow == .breakLoop { break }
            if flow == .normal { isElse = false }
        }
        leave(scope)
        guard isElse, !loop.otherwise.isEmpty else { return .normal }
        enter(program.scopes[loop.elseScope])
        let flow = try execute(loop.otherwise)
        leave(program.scopes[loop.elseScope])
        return flow
    }

    /// The items that pass the loop's condition, tested as they are asked for.
    private func filtered(_ cursor: Cursor, _ test: (target: Expression, condition: Expression), _ loop: LoopNode)
        -> ValueIterator
    {
        var cursor = cursor
        let owner = activation
        let scope = program.scopes[loop.testScope]
        var isEntered = false
        return ValueIterator("for", depth: 0) { interpreter throws(TemplateError) in
            let caller = interpreter.activation
            interpreter.activation = owner
            defer { interpreter.activation = caller }
            if !isEntered { interpreter.enter(scope) }
            isEntered = true
            while let item = try cursor.next(interpreter) {
                try interpreter.step()
                try interpreter.assign(item, to: test.target)
                if try interpreter.evaluate(test.condition).isTrue { return item }
            }
            return nil
        }
    }
}
