/// What one adapter was used for.
public struct AdapterStatistics: Sendable, Equatable {
    public var requestsWaiting = 0
    public var requestsRunning = 0
    /// Requests that have come so far.
    public var requests = 0
    public var promptTokens = 0
    public var generationTokens = 0
}

/// Statistics by adapter, for a bounded number of names.
public struct AdapterStatisticsTable: Sendable {
    /// Names that are told apart; all others are counted together.
    static let limit = 256
    /// The name under which the others are counted.
    public static let otherName = "other"

    public private(set) var byName: [String: AdapterStatistics] = [:]

    /// Changes the numbers of an adapter.
    mutating func update(_ name: String, _ change: (inout AdapterStatistics) -> Void) {
        var name = name
        if byName[name] == nil, byName.count >= Self.limit { name = Self.otherName }
        change(&byName[name, default: AdapterStatistics()])
    }

    /// Names with waiting requests, or with running ones, sorted.
    public func names(_ count: KeyPath<AdapterStatistics, Int>) -> [String] {
        byName.filter { $0.value[keyPath: count] > 0 }.map(\.key).sorted()
    }
}
