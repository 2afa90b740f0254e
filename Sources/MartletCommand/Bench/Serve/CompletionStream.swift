import Checkpoints

/// What the events of a streamed completion say about its request.
struct CompletionStream {
    private(set) var record: RequestRecord
    let isChat: Bool
    private var reportedTokens: Int?

    init(_ record: RequestRecord, isChat: Bool) {
        self.record = record
        self.isChat = isChat
    }

    /// Takes the data of one event that came at `time`.
    mutating func add(_ data: [UInt8], at time: Double) {
        guard !data.elementsEqual("[DONE]".utf8) else { return }
        guard let event = try? JSONLineLoop.value(data) else {
            record.failure = "the server sent an event that is not JSON"
            return
        }
        if let message = Self.message(event) { record.failure = message }
        if let choice = event["choices"]?.array?.first, isOutput(choice) { record.arrivals.append(time) }
        if let usage = event["usage"], let prompt = usage["prompt_tokens"]?.int {
            record.promptTokens = prompt
            reportedTokens = usage["completion_tokens"]?.int
        }
    }

    /// The request when its answer has ended; without a report of the server each event counts as one token.
    func finished(status: Int, rest: [UInt8]) -> RequestRecord {
        var record = record
        record.outputTokens = reportedTokens ?? record.arrivals.count
        if !(200..<300).contains(status) {
            let reason = (try? JSONLineLoop.value(rest)).flatMap(Self.message)
            record.failure = "status \(status)" + (reason.map { ": \($0)" } ?? "")
        } else if record.failure == nil, record.arrivals.isEmpty {
            record.failure = "the answer had no output, or was not streamed"
        }
        return record
    }

    /// Whether a choice carries something new. A chat begins with an event that only names the role, and may end with one
    /// that only says why it ends.
    private func isOutput(_ choice: JSONValue) -> Bool {
        guard isChat, let delta = choice["delta"] else { return true }
        let texts = [delta["content"], delta["reasoning_content"], delta["reasoning"]]
        if texts.contains(where: { $0?.string?.isEmpty == false }) || delta["tool_calls"]?.array != nil { return true }
        return delta["role"]?.string == nil && choice["finish_reason"]?.string == nil
    }

    private static func message(_ event: JSONValue) -> String? {
        guard let error = event["error"], !error.isNull else { return nil }
        return error["message"]?.string ?? error.string ?? error.compactText
    }
}
