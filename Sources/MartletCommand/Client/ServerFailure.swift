import ArgumentParser
import Checkpoints

/// Why a running server did not do what it was asked; each kind has an exit status of its own, for scripts.
struct ServerFailure: Error, Equatable, CustomStringConvertible {
    enum Kind: Int32 {
        /// The server was reached and could not do it.
        case refused = 1
        /// Nobody answers there, or somebody else does.
        case unreachable = 2
        /// The key is missing, wrong, or not an admin's.
        case forbidden = 3
        /// The server has no such adapter.
        case unknown = 4
    }

    let kind: Kind
    let description: String

    init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }

    /// An answer whose status is an error.
    init(status: Int, body: JSONValue?, address: ServerAddress) {
        let message = body?["error"]?["message"]?.string
        switch status {
        case 401:
            self.init(
                .forbidden, "\(address) asks for a key: give it with --api-key or in the variable MARTLET_ADMIN_KEY.")
        case 403:
            self.init(
                .forbidden,
                "\(address) refuses this to the key: \(message ?? "it is not an admin's.") (--api-key, or the variable "
                    + "MARTLET_ADMIN_KEY)")
        // Only what a name or a path is to blame for has a parameter; a path of the API that is not there has none.
        case 404 where body?["error"]?["param"]?.string == nil:
            self.init(.unreachable, "\(address) answers, but is no Martlet server with adapters (status 404).")
        case 404: self.init(.unknown, message ?? "The server has no such adapter.")
        default: self.init(.refused, message ?? "\(address) answered with status \(status).")
        }
    }

    /// Tells the person, and ends with the status of its kind.
    func report() -> ExitCode {
        Terminal.error.write("Error: \(description)\n")
        return ExitCode(kind.rawValue)
    }
}
