import Engine

/// Turns the events of a request's prompts into the bytes of its response.
///
/// A streaming encoder returns server-sent events as they come; a collecting one returns nothing until `finish`.
package protocol EventEncoder: Sendable {
    /// Tokens so far.
    var usage: Usage { get }
    /// Bytes to send for an event of prompt number `prompt`; may be empty.
    mutating func append(_ event: GenerationEvent, prompt: Int) -> [UInt8]
    /// Bytes that complete the response.
    mutating func finish() -> [UInt8]
}

/// Framing of server-sent events.
package enum ServerSentEvents {
    package static let done = Array("data: [DONE]\n\n".utf8)
    /// A comment, which clients skip; it keeps idle connections open.
    package static let keepAlive = Array(": keep-alive\n\n".utf8)

    static let start = Array("data: ".utf8)

    /// An error within a stream, and the stream's end.
    package static func failure(_ error: APIError) -> [UInt8] {
        var json = JSONBuffer(start)
        error.append(to: &json)
        json.raw("\n\n")
        json.raw(done)
        return json.bytes
    }
}

extension JSONBuffer {
    /// `,"finish_reason":…`, and `stop_reason` when the choice has ended.
    mutating func finish(_ finish: Finish?) {
        raw(#","finish_reason":"#)
        guard let finish else { return raw("null") }
        string(finish.reason.rawValue)
        raw(#","stop_reason":"#)
        switch finish.stopReason {
        case nil: raw("null")
        case .string(let text): string(text)
        case .token(let token): integer(Int(token))
        }
    }
}
