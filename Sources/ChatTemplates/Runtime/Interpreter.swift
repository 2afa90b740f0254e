/// One rendering of a template: evaluates the tree, within the limits.
///
/// An error ends the rendering, so counters need not be restored on the way out.
final class Interpreter {
    let program: Program
    let limits: TemplateLimits
    let context: MappingTable
    let now: TemplateTime?
    var activation: Activation
    var output: [UInt8] = []
    /// Line of the node that is being evaluated, for errors.
    var line = 1
    /// Namespaces whose text is being made, outermost first.
    var shownNamespaces: [Namespace] = []

    private var stepsLeft: Int
    private var bytesLeft: Int
    private var depth = 0
    /// What can hold itself, directly or not; emptied at the end so that nothing is leaked.
    private var cyclic: [AnyObject] = []

    init(_ program: Program, context: MappingTable, limits: TemplateLimits, now: TemplateTime?) {
        self.program = program
        self.limits = limits
        self.context = context
        self.now = now
        stepsLeft = limits.steps
        bytesLeft = limits.allocatedBytes
        activation = Activation(count: program.root.slotCount, parent: nil)
        cyclic.append(activation)
    }

    /// The rendering, in UTF-8.
    func run() throws(TemplateError) -> [UInt8] {
        defer { breakCycles() }
        do {
            enter(program.root)
            _ = try execute(program.body)
            return output
        } catch {
            var error = error
            if error.line == nil { error.line = line }
            throw error
        }
    }

    // MARK: Cycles

    func register(_ object: AnyObject) { cyclic.append(object) }

    private func breakCycles() {
        for object in cyclic {
            switch object {
            case let activation as Activation: activation.slots = []
            case let namespace as Namespace: namespace.attributes = MappingTable()
            case let loop as LoopContext: loop.forget()
            default: break
            }
        }
    }

    // MARK: Limits

    @inline(__always)
    func step(_ count: Int = 1) throws(TemplateError) {
        stepsLeft -= count
        if stepsLeft < 0 { throw outOfSteps() }
    }

    private func outOfSteps() -> TemplateError {
        TemplateError(.limit, "the template takes more than \(limits.steps) steps (limit steps)")
    }

    /// Counts a new string or its like. Bytes take time too.
    func charge(bytes: Int) throws(TemplateError) {
        bytesLeft -= bytes
        guard bytesLeft >= 0 else {
            throw TemplateError(
                .limit, "the template creates more than \(limits.allocatedBytes) bytes of values (limit allocatedBytes)"
            )
        }
        try step(bytes / 32)
    }

    /// Checks that a value or output of `bytes` bytes may be made at all, before it is made.
    func checkSize(_ bytes: Int) throws(TemplateError) {
        if bytes > bytesLeft { try charge(bytes: bytes) }
    }

    /// Counts a new list or its like.
    func charge(elements: Int) throws(TemplateError) { try charge(bytes: elements * 16 + 32) }

    /// Steps one level deeper into the evaluation.
    func enter() throws(TemplateError) {
        depth += 1
        guard depth <= limits.callDepth else {
            throw TemplateError(
                .limit, "the template nests more than \(limits.callDepth) levels deep (limit callDepth)")
        }
    }

    func leave() { depth -= 1 }

    /// Returns `value` unless its containers nest too deeply.
    func checked(_ value: Value) throws(TemplateError) -> Value {
        guard value.depth <= limits.valueDepth else {
            throw TemplateError(.limit, "a value nests more than \(limits.valueDepth) levels deep (limit valueDepth)")
        }
        return value
    }

    func list(_ values: [Value]) throws(TemplateError) -> Value {
        try charge(elements: values.count)
        return try checked(.list(values))
    }

    func tuple(_ values: [Value]) throws(TemplateError) -> Value {
        try charge(elements: values.count)
        return try checked(.tuple(values))
    }

    func dict(_ table: MappingTable) throws(TemplateError) -> Value {
        try charge(elements: table.count * 4)
        return try checked(.dict(Mapping(table)))
    }

    func string(_ text: Text) throws(TemplateError) -> Value {
        try charge(bytes: text.bytes.count)
        return .string(text)
    }

    // MARK: Variables

    func enter(_ scope: Program.Scope) {
        for entry in scope.entries {
            switch entry.action {
            case .parameter: break
            case .resolve(let name): activation.slots[entry.index] = resolve(name)
            case .alias(let outer): activation.slots[entry.index] = value(at: outer)
            case .undefined: activation.slots[entry.index] = nil
            }
        }
    }

    /// Makes a scope's variables undefined again, as a macro that outlives the scope sees them.
    func leave(_ scope: Program.Scope) {
        for entry in scope.entries { activation.slots[entry.index] = nil }
    }

    private func resolve(_ name: String) -> Value? {
        context.value(for: Text(name)) ?? GlobalFunction(rawValue: name).map { .function($0) }
    }

    func value(at reference: Program.Reference) -> Value? {
        if reference.hops == 0 { return activation.slots[reference.index] }
        var owner = activation
        for _ in 0..<reference.hops { if let parent = owner.parent { owner = parent } }
        return owner.slots[reference.index]
    }

    /// Assignments always go to the present function.
    func set(_ value: Value, at reference: Program.Reference) { activation.slots[reference.index] = value }

    /// Runs `body` and returns what it prints instead of printing it.
    func capture(_ body: () throws(TemplateError) -> Void) throws(TemplateError) -> Text {
        let outer = output
        output = []
        try body()
        let text = Text(utf8: output)
        output = outer
        try charge(bytes: text.bytes.count)
        return text
    }
}
