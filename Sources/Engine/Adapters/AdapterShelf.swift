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

    subscript(name: String) -> Entry? { entries[name] }

    mutating func put(_ version: AdapterVersion) {
        let name = version.information.name
        clock += 1
        entries[name] = Entry(
            version: version, information: version.information, isPinned: entries[name]?.isPinned ?? false,
            lastUse: clock, lastUsed: entries[name]?.lastUsed)
    }

    /// The adapter in memory, marked as just used.
    mutating func use(_ name: String) -> AdapterVersion? {
        guard let version = entries[name]?.version else { return nil }
        clock += 1
        entries[name]?.lastUse = clock
        entries[name]?.lastUsed = Clock.unixSeconds
        return version
    }

    mutating func pin(_ name: String, _ isPinned: Bool) { entries[name]?.isPinned = isPinned }

    mutating func remove(_ name: String) -> Bool { entries.removeValue(forKey: name) != nil }

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
        return version
    }

    /// Whether nobody but the shelf holds the adapter.
    private mutating func isIdle(_ name: String) -> Bool {
        guard var version = entries[name]?.version else { return false }
        entries[name]?.version = nil
        defer { entries[name]?.version = version }
        return isKnownUniquelyReferenced(&version)
    }
}
