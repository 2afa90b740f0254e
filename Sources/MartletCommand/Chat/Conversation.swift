import Checkpoints
import Engine

/// The messages of a chat: an optional system message, then turns of user and assistant.
struct Conversation: Equatable {
    private(set) var system: String?
    private(set) var turns: [ChatMessage] = []

    init(system: String? = nil) { self.system = system }

    /// What the model sees.
    var messages: [ChatMessage] { (system.map { [ChatMessage.system($0)] } ?? []) + turns }

    mutating func ask(_ text: String) { turns.append(.user(text)) }

    /// Ends the turn with the model's answer. An empty one takes the question back, so that it can be asked again.
    mutating func answer(_ text: String) {
        if text.isEmpty { takeBack() } else { turns.append(.assistant(text)) }
    }

    /// Removes the last question with its answer; false if there is none.
    @discardableResult
    mutating func takeBack() -> Bool {
        guard let question = turns.lastIndex(where: { $0.role == "user" }) else { return false }
        turns.removeSubrange(question...)
        return true
    }

    /// Forgets all turns; the system message stays.
    mutating func reset() { turns = [] }

    /// Starts anew with another system message, or none.
    mutating func reset(system: String?) {
        self.system = system
        turns = []
    }

    /// The conversation as a JSON text that the API takes as `messages`.
    var savedText: String {
        var lines = messages.map { "  " + $0.json.compactText }.joined(separator: ",\n")
        if !lines.isEmpty { lines = "\n" + lines + "\n" }
        return "{\"messages\": [\(lines)]}\n"
    }
}
