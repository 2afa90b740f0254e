import Martlet

/// Loads the demo model and streams one answer.
@main
struct FirstAnswer {
    static func main() async throws {
        let llm = try await LLM()
        let facts = "The castle opens at 12. The castle closes at 14. The castle is closed on Thursday."
        let chat = Prompt.chat([.system(facts), .user("At what time does the castle close?")])
        for try await text in try llm.stream(chat) { print(text, terminator: "") }
        print()
    }
}
