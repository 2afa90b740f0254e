/// A template ready to run: its tree, with the meaning of every numbered name and scope.
struct Program: Sendable {
    /// Where a variable lies: how many functions outwards, and at which position there.
    struct Reference: Sendable {
        let hops: Int
        let index: Int
    }

    /// What happens when a scope is entered, for each of its variables.
    struct Entry: Sendable {
        enum Action: Sendable {
            /// Set by whoever enters.
            case parameter
            /// Read from the variables that were passed to the template.
            case resolve(String)
            /// Copied from an outer scope.
            case alias(Reference)
            case undefined
        }

        let index: Int
        let action: Action
    }

    struct Scope: Sendable {
        var entries: [Entry] = []
        /// The number of variables of the function that starts here, or 0.
        var slotCount = 0
    }

    let body: [Statement]
    let names: [Reference]
    let scopes: [Scope]
    /// The outermost scope.
    let root: Scope
}
