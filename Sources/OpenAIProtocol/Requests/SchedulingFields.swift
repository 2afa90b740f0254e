/// What a request says of its place in the queue and of the prefix cache; names and ranges are vLLM's.
package struct SchedulingFields: Sendable, Equatable {
    /// Only requests with the same salt share cached content.
    package var cacheSalt: String?
    /// Smaller is served earlier, under `--scheduling-policy priority`.
    package var priority = 0
    /// Whether cached content may be used.
    package var readsCache = true

    package init() {}

    package init(_ fields: Fields) throws(APIError) {
        priority = try fields.integer("priority") ?? 0
        readsCache = try fields.bool("skip_reading_prefix_cache") != true
        guard let salt = try fields.string("cache_salt") else { return }
        guard (1...1024).contains(salt.unicodeScalars.count) else {
            throw .badRequest("cache_salt: expected 1 to 1024 characters", parameter: "cache_salt")
        }
        cacheSalt = salt
    }
}
