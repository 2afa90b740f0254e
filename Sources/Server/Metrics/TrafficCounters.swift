import Synchronization

/// Counts responses by endpoint, method and class of status.
final class TrafficCounters: Sendable {
    struct Key: Hashable, Sendable {
        /// The path as registered, so that clients cannot make up new series.
        let path: String
        let method: String
        let status: String
    }

    private let counts = Mutex<[Key: Int]>([:])

    func count(path: String, method: String, status: Int) {
        let known = ["GET", "POST", "HEAD", "OPTIONS"].contains(method) ? method : "other"
        let key = Key(path: path, method: known, status: "\(status / 100)xx")
        counts.withLock { $0[key, default: 0] += 1 }
    }

    var snapshot: [(key: Key, count: Int)] {
        counts.withLock { $0.map { (key: $0.key, count: $0.value) } }
            .sorted { ($0.key.path, $0.key.method, $0.key.status) < ($1.key.path, $1.key.method, $1.key.status) }
    }
}
