/// The variables of one run of a function: of the template, a macro, or a recursive loop.
final class Activation {
    var slots: [Value?]
    /// The run of the function around.
    let parent: Activation?

    init(count: Int, parent: Activation?) {
        slots = Array(repeating: nil, count: count)
        self.parent = parent
    }
}

/// A macro, or the body of a call block, with the variables around it.
final class Macro {
    let node: MacroNode
    let activation: Activation

    init(_ node: MacroNode, in activation: Activation) {
        self.node = node
        self.activation = activation
    }
}

/// Evaluated arguments.
struct CallArguments {
    var positional: [Value] = []
    var keywords: [(name: String, value: Value)] = []
}
