/// The names of adapters and what they stand for now; which of them are in memory, and which is given up first.
///
/// A plain state machine: the registry locks it, loads, and waits.
struct AdapterShelf {
    struct Entry {
        /// Nil when the adapter was given up to make room; it is read again when it is asked for.
        var version: AdapterVersion?
        let information: AdapterInformation
        var isPinned = false
        /// Larger is later.
        var lastUse = 0
        /// Unix time at which a request last asked for it.
        var lastUsed: Int?
    }

    private(set) var entries: [String: Entry] = [:]
    private var clock = 0
    /// Adapters that no further request gets until they were given up, or are not needed for room any more.
    private var closing: Set<String> = []
    /// Requests that wait for adapters, in the order in which they came.
    var line = AdapterLine()
    /// When an adapter was last given up or put here.
    private(set) var lastChange = ContinuousClock.now

    subscript(name: String) -> Entry? { entries[name] }

    // MARK: Calls

    /// Calls that have not ended and may put something under a name.
    private var calls: [String: Set<Int>] = [:]
    private var nextCall = 0

    /// Notes a call that may put something under these names; it must be ended.
    mutating func begin(_ names: [String]) -> AdapterCall {
        defer { nextCall += 1 }
        for name in names { calls[name, default: []].insert(nextCall) }
        return AdapterCall(number: nextCall, names: names)
    }

    mutating func end(_ call: AdapterCall) {
        for name in call.names {
            calls[name]?.remove(call.number)
            if calls[name]?.isEmpty == true { calls[name] = nil }
        }
    }

    /// Whether the name stands for something, or is about to.
    func isExpected(_ name: String) -> Bool { entries[name] != nil || calls[name] != nil }

    /// Whether the name was not taken away since the call began.
    func isValid(_ call: AdapterCall, for name: String) -> Bool { calls[name]?.contains(call.number) == true }

    // MARK: Names

    /// What the call has read stands under its name from now on; false when the name was taken away since it began.
    mutating func put(_ version: AdapterVersion, for call: AdapterCall) -> Bool {
        let name = version.information.name
        guard isValid(call, for: name) else { return false }
        clock += 1
        lastChange = .now
        entries[name] = Entry(
            version: version, information: version.information, isPinned: entries[name]?.isPinned ?? false,
            lastUse: clock, lastUsed: entries[name]?.lastUsed)
        return true
    }

    /// The adapter in memory, marked as just used.
    mutating func use(_ name: String) -> AdapterVersion? {
        guard let version = entries[name]?.version else { return nil }
        clock += 1
        entries[name]?.lastUse = clock
        entries[name]?.lastUsed = Clock.unixSeconds
        return version
    }

    /// The adapters, marked as just used, when all are in memory and none is being given up.
    mutating func lease(_ names: [String]) -> AdapterLease? {
        guard names.allSatisfy({ entries[$0]?.version != nil && !closing.contains($0) }) else { return nil }
        return AdapterLease(versions: names.compactMap { use($0) })
    }

    mutating func pin(_ name: String, _ isPinned: Bool) { entries[name]?.isPinned = isPinned }

    /// Takes a name away, also from calls that are about to put something under it; false when there is nothing.
    mutating func remove(_ name: String) -> Bool {
        closing.remove(name)
        let isAwaited = calls.removeValue(forKey: name) != nil
        return entries.removeValue(forKey: name) != nil || isAwaited
    }

    // MARK: Room

    /// Gives up the adapter that was used longest ago, of those that no request holds and nobody pinned; returns it, so
    /// that its memory is freed outside of locks. O(entries).
    mutating func evict() -> AdapterVersion? {
        var victim: (name: String, lastUse: Int)?
        for name in Array(entries.keys) {
            // A copy of the entry would be a holder too.
            guard entries[name]?.isPinned == false, let lastUse = entries[name]?.lastUse,
                lastUse < victim?.lastUse ?? .max, isIdle(name)
            else { continue }
            victim = (name, lastUse)
        }
        guard let victim else { return nil }
        let version = entries[victim.name]?.version
        entries[victim.name]?.version = nil
        closing.remove(victim.name)
        lastChange = .now
        return version
    }

    /// Lets no further request have the adapters that were used longest ago, as many as make up `bytes`: those who hold
    /// them end, and then they can be given up. Otherwise adapters that always have requests would keep all others out.
    mutating func close(_ bytes: Int, except held: Set<String>) {
        var rest = closing.reduce(bytes) { $0 - (entries[$1]?.information.byteCount ?? 0) }
        guard rest > 0 else { return }
        let candidates = entries.filter {
            $0.value.version != nil && !$0.value.isPinned && !closing.contains($0.key) && !held.contains($0.key)
        }
        for (name, entry) in candidates.sorted(by: { $0.value.lastUse < $1.value.lastUse }) where rest > 0 {
            closing.insert(name)
            rest -= entry.information.byteCount
        }
    }

    /// Lets requests have what was not given up after all.
    mutating func reopen() { closing = [] }

    /// Whether nobody but the shelf holds the adapter.
    private mutating func isIdle(_ name: String) -> Bool {
        guard var version = entries[name]?.version else { return false }
        entries[name]?.version = nil
        defer { entries[name]?.version = version }
        return isKnownUniquelyReferenced(&version)
    }
}

/// A call that may put something under names. One that takes a name away later also cancels what this would put there.
struct AdapterCall: Sendable {
    let number: Int
    let names: [String]
    let began = ContinuousClock.now
}
