/// Why a request was not served.
public enum EngineError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The request cannot be served as it is; `parameter` is its wire name, if one is to blame.
    case invalidRequest(parameter: String?, message: String)
    /// No adapter of this name is loaded.
    case unknownAdapter(String)
    /// Too many requests wait; try again after this many seconds.
    case overloaded(retryAfter: Int)
    /// The engine is stopping and takes no new requests.
    case shuttingDown
    /// The engine failed; other requests go on.
    case failed(String)

    public var description: String {
        switch self {
        case .invalidRequest(_, let message): message
        case .unknownAdapter(let name): "The adapter '\(name)' is not loaded."
        case .overloaded(let seconds): "The server is overloaded; try again in \(seconds) s."
        case .shuttingDown: "The server is shutting down."
        case .failed(let message): message
        }
    }
}
