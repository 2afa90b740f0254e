/// All sequences, each at a slot of its own that does not move; changed in place.
struct SequenceTable: Sendable {
    /// By slot; what is vacant holds nothing.
    var states: ContiguousArray<SequenceState> = []
    private var vacant: [Int] = []
    private var index: [SequenceID: Int] = [:]

    var count: Int { index.count }
    var slots: some Collection<Int> { index.values }

    func slot(of id: SequenceID) -> Int? { index[id] }

    mutating func insert(_ id: SequenceID, _ make: (_ slot: Int) -> SequenceState) -> Int {
        let slot = vacant.popLast() ?? states.count
        if slot == states.count { states.append(make(slot)) } else { states[slot] = make(slot) }
        index[id] = slot
        return slot
    }

    mutating func remove(_ id: SequenceID) -> SequenceState? {
        guard let slot = index.removeValue(forKey: id) else { return nil }
        let state = states[slot]
        states[slot] = .vacant
        vacant.append(slot)
        return state
    }
}
