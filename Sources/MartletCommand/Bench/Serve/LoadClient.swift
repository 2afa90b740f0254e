import Checkpoints
import NIOCore
import NIOHTTP1

/// Sends requests of a run to an OpenAI-compatible server and watches their streams.
struct LoadClient: Sendable {
    let client: ServerClient
    /// Path of the endpoint.
    let endpoint: String
    let isChat: Bool
    /// Name for requests that ask for nothing else.
    let model: String
    /// Fields of every request beside those that the run sets.
    let fields: JSONObject

    /// Sends one request now; what goes wrong becomes part of the record.
    func request(_ prompt: BenchPrompt, start: ContinuousClock.Instant) async -> RequestRecord {
        let body = JSONValue.object(body(prompt))
        let sent = RequestRecord(sent: Format.seconds(.now - start), adapter: prompt.adapter)
        var stream = CompletionStream(sent, isChat: isChat)
        var events = ServerSentEvents()
        var refusal: [UInt8] = []
        do {
            let status = try await client.exchange(.POST, endpoint, body) { status, piece in
                guard (200..<300).contains(status) else {
                    refusal += piece.readableBytesView.prefix(max(0, Self.refusalLimit - refusal.count))
                    return
                }
                let time = Format.seconds(.now - start)
                for event in events.add(piece.readableBytesView) { stream.add(event, at: time) }
            }
            return stream.finished(status: status, rest: refusal)
        } catch {
            var record = stream.record
            record.failure = (error as? ServerFailure)?.description ?? ServerClient.reason(error)
            return record
        }
    }

    /// Bytes of a refusal that are read.
    private static let refusalLimit = 64 << 10

    func body(_ prompt: BenchPrompt) -> JSONObject {
        var body: JSONObject = ["model": .string(prompt.adapter ?? model)]
        switch (prompt.content, isChat) {
        case (.text(let text), false): body["prompt"] = .string(text)
        case (.tokens(let tokens), false): body["prompt"] = .array(tokens.map { .int(Int($0)) })
        case (.chat(let messages), _): body["messages"] = .array(messages)
        case (.text(let text), true): body["messages"] = [["role": "user", "content": .string(text)]]
        case (.tokens, true): return self.body(prompt.asMessage)
        }
        body["max_tokens"] = .int(prompt.outputTokens)
        body["stream"] = true
        body["stream_options"] = ["include_usage": true]
        for (key, value) in fields { body[key] = value }
        return body
    }
}
