/// What one adapter was used for.
public struct AdapterStatistics: Sendable, Equatable {
    public var requestsWaiting = 0
    public var requestsRunning = 0
    /// Requests that have come so far.
    public var requests = 0
    public var promptTokens = 0
    public var generationTokens = 0
    /// How often it was read into memory.
    public var loads = 0
    /// How often it was given up to make room.
    public var evictions = 0
    /// Seconds that the latest loading took.
    public var lastLoadSeconds = 0.0

    package init() {}
}

/// Times of one adapter, in seconds.
///
/// Coarser than the engine's own histograms, as there is one of each for every adapter.
public struct AdapterLatencies: Sendable {
    public var timeToFirstToken = Histogram(bounds: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 40, 160])
    public var interTokenLatency = Histogram(bounds: [0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 10])
    public var loadTime = Histogram(bounds: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60])
}

/// Statistics by adapter, for a bounded number of names.
public struct AdapterStatisticsTable: Sendable {
    /// Names whose counts are told apart; all others are counted together.
    static let limit = 256
    /// Names whose times are told apart: one has some forty series of them.
    static let latencyLimit = 64
    /// The name under which the others are counted.
    public static let otherName = "other"

    public private(set) var byName: [String: AdapterStatistics] = [:]
    public private(set) var latencies: [String: AdapterLatencies] = [:]

    /// Changes the numbers of an adapter.
    mutating func update(_ name: String, _ change: (inout AdapterStatistics) -> Void) {
        var name = name
        if byName[name] == nil, byName.count >= Self.limit { name = Self.otherName }
        change(&byName[name, default: AdapterStatistics()])
    }

    /// Enters a time into one of the histograms of each adapter.
    mutating func observe(
        _ histogram: WritableKeyPath<AdapterLatencies, Histogram>, _ seconds: Double, of names: [String]
    ) {
        for var name in names {
            if latencies[name] == nil, latencies.count >= Self.latencyLimit { name = Self.otherName }
            latencies[name, default: AdapterLatencies()][keyPath: histogram].observe(seconds)
        }
    }

    /// The name under which an adapter is counted.
    public func label(of name: String) -> String { byName[name] == nil ? Self.otherName : name }

    /// Names with waiting requests, or with running ones, sorted.
    public func names(_ count: KeyPath<AdapterStatistics, Int>) -> [String] {
        byName.filter { $0.value[keyPath: count] > 0 }.map(\.key).sorted()
    }
}
