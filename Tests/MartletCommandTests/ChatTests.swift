import Engine
import Testing

@testable import MartletCommand

@Suite("Chat")
struct ChatTests {
    @Test(arguments: [
        ("hello", ChatEntry.message("hello")), (" /path", .message(" /path")), ("", .nothing), ("  ", .nothing),
        ("/help", .help), ("/reset", .reset), ("/system", .system(nil)), ("/system  Be brief. ", .system("Be brief.")),
        ("/undo", .undo), ("/save a b.json", .save(path: "a b.json")), ("/exit", .exit), ("/quit", .exit),
        ("/bye", .exit),
        ("/save", .mistake("/save needs the name of a file.")),
        ("/nope x", .mistake("There is no command /nope; /help lists them.")),
    ])
    func entries(text: String, expected: ChatEntry) { #expect(ChatEntry(text) == expected) }

    @Test func conversationKeepsItsTurns() {
        var conversation = Conversation(system: "S")
        conversation.ask("a")
        conversation.answer("b")
        conversation.ask("c")
        #expect(conversation.messages == [.system("S"), .user("a"), .assistant("b"), .user("c")])
        conversation.answer("")
        #expect(conversation.messages == [.system("S"), .user("a"), .assistant("b")])
        let isTakenBack = conversation.takeBack()
        #expect(isTakenBack)
        #expect(conversation.messages == [.system("S")])
        let isTakenBackAgain = conversation.takeBack()
        #expect(!isTakenBackAgain)
        conversation.ask("d")
        conversation.reset()
        #expect(conversation.messages == [.system("S")])
        conversation.reset(system: nil)
        #expect(conversation.messages.isEmpty)
    }

    @Test func savedConversation() {
        var conversation = Conversation(system: "S")
        conversation.ask("a\n\"b\"")
        #expect(
            conversation.savedText == """
                {"messages": [
                  {"role":"system","content":"S"},
                  {"role":"user","content":"a\\n\\"b\\""}
                ]}

                """)
        #expect(Conversation().savedText == "{\"messages\": []}\n")
    }

    @Test(arguments: [
        (["one"], "one"), ([#"one\"#, "two"], "one\ntwo"), (["\"\"\"", "a", "", "b", "\"\"\""], "a\n\nb"),
        (["\"\"a", "b\"\""], "\"\"a"), (["\"\"\"x", "y\"\"\""], "x\ny"), (["\"\"\"x\"\"\""], "x"),
    ])
    func messagesOfSeveralLines(lines: [String], expected: String) {
        var assembler = MessageAssembler()
        var messages: [String] = []
        for line in lines where messages.isEmpty { if let message = assembler.append(line) { messages.append(message) } }
        #expect(messages == [expected])
        #expect(!assembler.isIncomplete)
    }

    @Test func anUnfinishedBlockIsAMessageAtTheEnd() {
        var assembler = MessageAssembler()
        #expect(assembler.append("\"\"\"a") == nil)
        #expect(assembler.isIncomplete)
        #expect(assembler.finish() == "a")
        #expect(!assembler.isIncomplete)
    }

    @Test func speed() {
        #expect(
            Speed.summary(tokens: 11, untilFirst: 0.125, afterFirst: 0.5)
                == "11 tokens · 20.0 tok/s · first after 0.13 s")
        #expect(Speed.summary(tokens: 1, untilFirst: 2, afterFirst: 0) == "1 token · first after 2.00 s")
    }
}
