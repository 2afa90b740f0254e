import ChatTemplates
import Checkpoints
import DemoModel
import Testing
import Tokenizers

@testable import MartletCommand

@Suite("JSON lines")
struct JSONLineTests {
    private func reply(_ line: String, _ answer: (JSONObject) throws -> JSONObject) -> String {
        String(decoding: JSONLineLoop.reply(to: Array(line.utf8), answer), as: UTF8.self)
    }

    @Test func oneLineForEachLine() {
        #expect(reply(#"{"a": "x\ny"}"#) { $0 } == "{\"a\":\"x\\ny\"}\n")
    }

    @Test(arguments: ["", "nonsense", "[1]", "{} {}", #"{"a": "\#u{FF}"#, #"{"a""#, "7"])
    func aBadLineIsAnsweredWithAnError(line: String) throws {
        let reply = reply(line) { _ in [:] }
        #expect(reply.hasPrefix(#"{"error":""#) && reply.hasSuffix("\"}\n"))
    }

    @Test func invalidUTF8IsAnError() {
        let reply = JSONLineLoop.reply(to: Array(#"{"text":""#.utf8) + [0xFF] + Array(#""}"#.utf8)) { _ in [:] }
        #expect(String(decoding: reply, as: UTF8.self).hasPrefix(#"{"error":""#))
    }

    @Test func tokensThereAndBack() throws {
        let tokenizer = try Tokenizer(folder: try DemoModelFolder.locate().base)
        let encoded = try TokenizeCommand.encode(["text": "The castle closes at 14. ü"], tokenizer)
        let ids = try #require(encoded["ids"]?.array)
        #expect(encoded["pieces"]?.array?.count == ids.count)
        #expect(try TokenizeCommand.decode(["ids": .array(ids)], tokenizer) == ["text": "The castle closes at 14. ü"])
    }

    @Test func specialTokensStayUnlessSkipped() throws {
        let tokenizer = try Tokenizer(folder: try DemoModelFolder.locate().base)
        #expect(try TokenizeCommand.decode(["ids": [0]], tokenizer) == ["text": "<|end_of_text|>"])
        #expect(try TokenizeCommand.decode(["ids": [0], "skip_special_tokens": true], tokenizer) == ["text": ""])
    }

    @Test(
        arguments: [[:], ["ids": "x"], ["ids": [1.5]], ["ids": [-1]], ["ids": [4_294_967_296]], ["ids": ["1"]]]
            as [JSONObject])
    func idsMustBeTokenIDs(line: JSONObject) throws {
        let tokenizer = try Tokenizer(folder: try DemoModelFolder.locate().base)
        #expect(throws: CommandError.self) { try TokenizeCommand.decode(line, tokenizer) }
    }

    @Test func renderReadsEveryMember() throws {
        let input = try RenderCommand.input(
            [
                "messages": [["role": "user", "content": "hi"]], "tools": [["name": "t"]],
                "add_generation_prompt": true, "chat_template_kwargs": ["a": 1],
                "special_tokens": ["bos_token": "<B>", "eos_token": nil, "x_token": ["content": "<X>"]],
                "now": "2026-01-15 09:30:00",
            ], specialTokens: ["bos_token": "<s>", "eos_token": "</s>"])
        #expect(input.addGenerationPrompt)
        #expect(!input.continueFinalMessage)
        #expect(input.tools == [["name": "t"]])
        #expect(input.documents == nil)
        #expect(input.kwargs == ["a": 1])
        #expect(input.specialTokens == ["bos_token": "<B>", "eos_token": "</s>", "x_token": "<X>"])
        #expect(input.now == TemplateTime(year: 2026, month: 1, day: 15, hour: 9, minute: 30))
    }

    @Test func renderedLine() throws {
        let template = try ChatTemplate(
            "{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}{{ strftime_now('%Y') }}")
        let line = try JSONLineLoop.object(
            Array(
                #"{"messages":[{"role":"user","content":"<é>"}],"special_tokens":{"bos_token":"^"},"now":"2031-02-03"}"#
                    .utf8))
        #expect(try template.render(try RenderCommand.input(line, specialTokens: [:])) == "^<é>2031")
    }

    @Test(arguments: [
        ("2026-01-15T09:30", TemplateTime(year: 2026, month: 1, day: 15, hour: 9, minute: 30)),
        (
            "2026-01-15 09:30:05.25",
            TemplateTime(year: 2026, month: 1, day: 15, hour: 9, minute: 30, second: 5, microsecond: 250_000)
        ),
        ("2026-01-15", TemplateTime(year: 2026, month: 1, day: 15)),
    ])
    func times(text: String, expected: TemplateTime) throws {
        #expect(try ClockArgument.time(.string(text)) == expected)
    }

    @Test(
        arguments: ["", "now", "2026-13-01", "2026-01-15 25:00:00", "2026-01-15 09:30:00Z", "2026-1", true, 1e300]
            as [JSONValue])
    func refusesOtherTimes(value: JSONValue) {
        #expect(throws: CommandError.self) { try ClockArgument.time(value) }
    }

    @Test func epochSeconds() throws {
        let time = try ClockArgument.time(1_768_469_400)
        #expect(time.year == 2026 && time.month == 1 && (14...16).contains(time.day) && time.second == 0)
    }
}
