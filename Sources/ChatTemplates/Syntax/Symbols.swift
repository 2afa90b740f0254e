/// The variables of one function of a template: the template itself, a macro, or a recursive loop.
final class FunctionLayout {
    /// How many functions are around this one.
    let depth: Int
    private var indices: [String: Int] = [:]

    var slotCount: Int { indices.count }

    init(depth: Int) { self.depth = depth }

    func slot(_ identifier: String) -> Slot {
        let index = indices[identifier] ?? indices.count
        indices[identifier] = index
        return Slot(function: depth, index: index)
    }
}

/// A variable's place: the depth of its function and the position therein.
struct Slot: Hashable {
    let function: Int
    let index: Int
}

/// What a scope knows of names: the rules of Jinja's `idtracking.Symbols`, which decide what a name means where.
final class Symbols {
    enum Load {
        case parameter
        case resolve(String)
        case alias(Slot)
        case undefined
    }

    let parent: Symbols?
    let function: FunctionLayout
    private let level: Int
    private let prefix: String
    private(set) var slots: [String: Slot] = [:]
    private(set) var loads: [Slot: Load] = [:]
    private var stores: Set<String> = []

    init(parent: Symbols?, function: FunctionLayout, prefix: String = "") {
        self.parent = parent
        self.function = function
        self.prefix = prefix
        level = parent.map { $0.level + 1 } ?? 0
    }

    private init(copying other: Symbols) {
        parent = other.parent
        function = other.function
        level = other.level
        prefix = other.prefix
        slots = other.slots
        loads = other.loads
        stores = other.stores
    }

    func copy() -> Symbols { Symbols(copying: self) }

    func find(_ name: String) -> Slot? { slots[name] ?? parent?.find(name) }

    private func define(_ name: String, _ load: Load) {
        let slot = function.slot("\(prefix)\(level)_\(name)")
        slots[name] = slot
        loads[slot] = load
    }

    func store(_ name: String) {
        stores.insert(name)
        guard slots[name] == nil else { return }
        define(name, parent?.find(name).map { .alias($0) } ?? .undefined)
    }

    func declareParameter(_ name: String) {
        stores.insert(name)
        define(name, .parameter)
    }

    func load(_ name: String) {
        if find(name) == nil { define(name, .resolve(name)) }
    }

    /// Takes over what the branches of a conditional define. A name stored in one branch only keeps its outer meaning.
    func merge(_ branches: [Symbols]) {
        var stored: Set<String> = []
        for branch in branches { stored.formUnion(branch.stores) }
        stored.subtract(stores)
        for branch in branches {
            slots.merge(branch.slots) { $1 }
            loads.merge(branch.loads) { $1 }
            stores.formUnion(branch.stores)
        }
        for name in stored {
            guard let slot = find(name) else { continue }
            loads[slot] = parent?.find(name).map { .alias($0) } ?? .resolve(name)
        }
    }

    /// The number of names known here, for the cost of a copy.
    var size: Int { slots.count + stores.count }
}
