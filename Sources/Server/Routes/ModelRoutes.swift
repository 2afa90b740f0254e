import Hummingbird
import OpenAIProtocol

/// `GET /v1/models` and `GET /v1/models/{id}`, where an id may contain slashes.
struct ModelRoutes: Sendable {
    let state: ServerState

    func add(to router: Router<ServerContext>, _ table: RouteTable) {
        let model = state.engine.model
        table.add(.get, "/v1/models", to: router) { _, _ in .json(ModelList.all(model, adapters: state.knownAdapters)) }
        table.add(.get, "/v1/models/**", to: router) { _, context in
            let name = context.parameters.getCatchAll().map { PercentEncoding.decode($0) }.joined(separator: "/")
            return .json(try ModelList.one(name, model, adapters: state.knownAdapters))
        }
    }
}

enum PercentEncoding {
    /// Replaces `%XX`; what is not such an escape stays as it is.
    static func decode(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            else {
                bytes.append(byte)
                continue
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
