import Hummingbird
import Logging

/// What travels with one request through middleware and route.
struct ServerContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The client's `x-request-id`, or one of ours.
    var requestID = ""
    /// For whom the request is served: `key-1` for who came with the first key, and so on; empty without keys.
    var tenant = ""
    /// Whether the request came with an admin key.
    var isAdmin = false

    init(source: ApplicationRequestContextSource) { coreContext = .init(source: source) }
}

enum RequestIdentifier {
    private static let limit = 128

    /// The client's identifier when it is short and printable, else a random one.
    static func choose(_ given: String?) -> String {
        let printable: ClosedRange<UInt8> = 0x21...0x7E
        guard let given, (1...limit).contains(given.utf8.count), given.utf8.allSatisfy(printable.contains) else {
            return random()
        }
        return given
    }

    private static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        return hex(generator.next()) + hex(generator.next())
    }

    private static func hex(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
