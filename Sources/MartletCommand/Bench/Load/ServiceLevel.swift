import ArgumentParser

/// A limit that a good request keeps, as `ttft:500`: a name of a metric and milliseconds.
struct ServiceLevel: ExpressibleByArgument, Equatable {
    enum Metric: String, CaseIterable {
        case ttft
        case tpot
        case e2el
    }

    let metric: Metric
    let milliseconds: Double

    init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let metric = Metric(rawValue: String(parts[0])), let limit = Double(parts[1]),
            limit.isFinite, limit >= 0
        else { return nil }
        self.metric = metric
        milliseconds = limit
    }

    /// Whether `record` keeps the limit; a request with one token has no time per output token, and keeps that one.
    func isKept(by record: RequestRecord) -> Bool {
        let seconds =
            switch metric {
            case .ttft: record.timeToFirstToken
            case .tpot: record.timePerOutputToken ?? 0
            case .e2el: record.latency
            }
        return seconds * 1000 <= milliseconds
    }
}

extension [ServiceLevel] {
    /// Requests that succeeded and kept every limit.
    func goodCount(_ records: [RequestRecord]) -> Int {
        records.count { record in record.succeeded && allSatisfy { $0.isKept(by: record) } }
    }
}
