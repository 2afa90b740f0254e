/// All sequences, each at a slot of its own that does not move; changed in place.
struct SequenceTable: Sendable {
    private var slots: ContiguousArray<SequenceState?> = []
    private var vacant: [Int] = []
    private var index: [SequenceID: Int] = [:]

    var count: Int { index.count }
    var states: [SequenceState] { slots.compactMap(\.self) }

    func slot(of id: SequenceID) -> Int? { index[id] }

    subscript(slot: Int) -> SequenceState? {
        _read { yield slots[slot] }
        _modify { yield &slots[slot] }
    }

    mutating func insert(_ id: SequenceID, _ make: (_ slot: Int) -> SequenceState) -> Int {
        let slot = vacant.popLast() ?? slots.count
        if slot == slots.count { slots.append(nil) }
        slots[slot] = make(slot)
        index[id] = slot
        return slot
    }

    mutating func remove(_ id: SequenceID) -> SequenceState? {
        guard let slot = index.removeValue(forKey: id) else { return nil }
        defer {
            slots[slot] = nil
            vacant.append(slot)
        }
        return slots[slot]
    }
}
