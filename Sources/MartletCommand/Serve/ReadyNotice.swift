import Checkpoints
import Engine

/// What `martlet serve` writes when it is ready: the address and a request to try.
struct ReadyNotice {
    let model: ModelInformation
    let hasChatTemplate: Bool
    let host: String
    let needsKey: Bool

    func text(port: Int, terminal: Terminal) -> String {
        let address = "http://\(Self.reachable(host)):\(port)"
        return "\(terminal.bold("Martlet serves \(name) at \(address)")) — try:\n\(curl(address))\n"
    }

    private var name: String { model.servedNames.first ?? model.root }

    /// A request that can be pasted into a shell.
    private func curl(_ address: String) -> String {
        let key = needsKey ? #" -H "Authorization: Bearer $MARTLET_API_KEY""# : ""
        let path = hasChatTemplate ? "chat/completions" : "completions"
        let body: JSONValue =
            hasChatTemplate
            ? ["model": .string(name), "messages": [["role": "user", "content": "Hello! Who are you?"]]]
            : ["model": .string(name), "prompt": "Once upon a time", "max_tokens": 32]
        return
            "curl \(address)/v1/\(path) -H 'Content-Type: application/json'\(key) -d \(Self.quoted(body.compactText))"
    }

    /// A name for the wildcard addresses, which cannot be connected to everywhere; brackets around IPv6 ones.
    static func reachable(_ host: String) -> String {
        switch host {
        case "", "0.0.0.0", "::": "localhost"
        default: host.contains(":") ? "[\(host)]" : host
        }
    }

    /// `text` as one word of a POSIX shell.
    static func quoted(_ text: String) -> String { "'" + text.replacing("'", with: #"'\''"#) + "'" }
}
