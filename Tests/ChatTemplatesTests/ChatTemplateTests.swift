import ChatTemplates
import Checkpoints
import Testing

private let chatML =
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    + "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"

private let partsTemplate = """
    {% set rest = messages[1:] %}{% for message in rest | list %}{% if message.content is string %}{{ message.content }}
    {% else %}{% for part in message['content'] | selectattr('text') %}{{ part.text }}{% endfor %}{% endif %}{% endfor %}
    """

private func messages(_ contents: (String, JSONValue)...) -> JSONValue {
    .array(contents.map { ["role": .string($0), "content": $1] })
}

@Suite struct ChatTemplateTests {
    private func failure(_ template: String, _ input: TemplateInput) -> TemplateError? {
        do throws(TemplateError) {
            _ = try ChatTemplate(template).render(input)
            return nil
        } catch {
            return error
        }
    }

    // MARK: Input

    @Test(arguments: [
        "messages", "tools", "documents", "tokenize", "chat_template", "add_generation_prompt",
        "continue_final_message", "return_tensors",
    ])
    func argumentsOfTheRenderingCannotBeOverridden(name: String) throws {
        let input = TemplateInput(messages: [], kwargs: [name: true])
        let error = try #require(failure("x", input))
        #expect(error.kind == .input)
        #expect(error.message.contains("'\(name)'"))
    }

    @Test func wrongShapesAreNamedByPath() {
        #expect(failure("x", TemplateInput(messages: "a"))?.message == "messages: expected an array, got string")
        #expect(failure("x", TemplateInput(messages: [1]))?.message == "messages[0]: expected an object, got integer")
        #expect(
            failure("x", TemplateInput(messages: [], tools: [nil]))?.message == "tools[0]: expected an object, got null"
        )
        #expect(
            failure("x", TemplateInput(messages: [], documents: true))?.message
                == "documents: expected an array, got boolean")
    }

    @Test func kwargsWinOverSpecialTokens() throws {
        let template = try ChatTemplate("{{ bos_token }}{{ eos_token }}{{ flag }}")
        let input = TemplateInput(
            messages: [], kwargs: ["eos_token": "E", "flag": true],
            specialTokens: ["bos_token": "<s>", "eos_token": "x"])
        #expect(try template.render(input) == "<s>ETrue")
    }

    @Test func absentToolsAreNone() throws {
        let template = try ChatTemplate("{{ tools is none }}{{ documents is none }}{{ add_generation_prompt }}")
        #expect(try template.render(TemplateInput(messages: [])) == "TrueTrueFalse")
    }

    @Test func reasoningHasAllItsNames() throws {
        let template = try ChatTemplate("{{ messages[0].thinking }}{{ messages[0].reasoning_content }}")
        let input = TemplateInput(messages: [["role": "assistant", "reasoning": "r", "content": "c"]])
        #expect(try template.render(input) == "rr")
    }

    @Test func theTemplatesOwnErrorKeepsItsWords() throws {
        let error = try #require(failure("\n{{ raise_exception('No system role') }}", TemplateInput(messages: [])))
        #expect(error.kind == .raised)
        #expect(error.description == "No system role")
        #expect(error.line == 2)
    }

    @Test(arguments: ["include 'x'", "import 'x' as y", "from 'x' import y", "extends 'x'", "block b", "do x"])
    func unsupportedTagsAreNamedWithTheirLine(tag: String) throws {
        let error = try #require(failure("a\nb\n{% \(tag) %}", TemplateInput(messages: [])))
        #expect(error.kind == .unsupported)
        #expect(error.line == 3)
        #expect(error.message.contains("'\(tag.split(separator: " ")[0])'"))
    }

    @Test func manyTasksRenderTheSameTemplate() async throws {
        let template = try ChatTemplate(chatML)
        try await withThrowingTaskGroup(of: (Int, String).self) { group in
            for number in 0..<64 {
                group.addTask {
                    (number, try template.render(TemplateInput(messages: messages(("user", .int(number))))))
                }
            }
            for try await (number, text) in group {
                #expect(text == "<|im_start|>user\n\(number)<|im_end|>\n")
            }
        }
    }

    @Test func timesAreReadAndShown() throws {
        let template = try ChatTemplate("{{ strftime_now('%d %b %Y %H:%M:%S.%f') }}")
        let now = try #require(TemplateTime("2024-02-29 23:05:06.25"))
        #expect(try template.render(TemplateInput(messages: [], now: now)) == "29 Feb 2024 23:05:06.250000")
        #expect(TemplateTime("2024-13-01") == nil)
        #expect(TemplateTime("yesterday") == nil)
    }

    // MARK: Continuing the final message

    private func continued(_ template: String, _ last: JSONValue) throws -> String {
        try ChatTemplate(template).render(
            TemplateInput(messages: messages(("user", "u"), ("assistant", last)), continueFinalMessage: true))
    }

    @Test func theRenderingEndsInTheFinalMessage() throws {
        #expect(try continued(chatML, "So ").hasSuffix("assistant\nSo "))
        let trimming = "{% for m in messages %}[{{ m.content | trim }}]{% endfor %}"
        #expect(try continued(trimming, " So ") == "[u][So")
        let parts = "{% for m in messages %}{% for c in m.content %}{{ c.text }}{% endfor %}|{% endfor %}"
        #expect(try continued(parts, [["type": "text", "text": "a"], ["type": "text", "text": "b"]]).hasSuffix("ab"))
    }

    @Test func thereMustBeSomethingToContinue() {
        func message(_ template: String, _ messages: JSONValue) -> String? {
            failure(template, TemplateInput(messages: messages, continueFinalMessage: true))?.message
        }
        #expect(message(chatML, [])?.contains("the conversation is empty") == true)
        #expect(message(chatML, messages(("user", nil)))?.contains("has no \"content\"") == true)
        #expect(message("nothing", messages(("user", "x")))?.contains("not an accepted field") == true)
        #expect(message("{# content #}x", messages(("user", "y")))?.contains("does not appear") == true)
        #expect(message(chatML, messages(("user", [["type": "image"]])))?.contains("could not find any text") == true)
    }

    // MARK: Content formats

    @Test func contentFormatIsFound() throws {
        #expect(try ChatTemplate(chatML).contentFormat == .string)
        #expect(try ChatTemplate(partsTemplate).contentFormat == .openai)
        let tools = "{% for m in messages %}{% for c in m.tool_calls %}{{ c }}{% endfor %}{% endfor %}"
        #expect(try ChatTemplate(tools).contentFormat == .string)
    }

    @Test func messagesAreNormalisedForStringTemplates() throws {
        let given: JSONValue = [
            [
                "role": "user", "content": [["type": "text", "text": "a"], "b", ["type": "text", "text": ""]],
                "extra": 1,
            ],
            [
                "role": "assistant", "content": nil, "reasoning_content": "r",
                "tool_calls": [
                    ["id": "1", "type": "function", "function": ["name": "f", "arguments": "{\"x\": 1}"]],
                    ["id": "2", "function": ["name": "g", "arguments": "not json"]],
                    ["id": "3", "function": ["name": "h"]],
                ],
            ],
            ["role": "tool", "tool_call_id": "1", "content": [["type": "text", "text": "t"]]],
            ["role": "assistant", "content": "x", "tool_calls": [], "name": "n"],
        ]
        let wanted: JSONValue = [
            ["role": "user", "content": "a\nb"],
            [
                "role": "assistant", "content": "", "reasoning": "r", "reasoning_content": "r",
                "tool_calls": [
                    ["id": "1", "type": "function", "function": ["name": "f", "arguments": ["x": 1]]],
                    ["id": "2", "function": ["name": "g", "arguments": [:]]],
                    ["id": "3", "function": ["name": "h", "arguments": [:]]],
                ],
            ],
            ["role": "tool", "content": "t", "tool_call_id": "1"],
            ["role": "assistant", "content": "x", "name": "n"],
        ]
        #expect(try ChatTemplate(chatML).normalised(messages: given) == wanted)
    }

    @Test func messagesAreNormalisedForPartsTemplates() throws {
        let template = try ChatTemplate(partsTemplate)
        let given: JSONValue = [
            ["role": "user", "content": "a"],
            ["role": "user", "content": [["type": "input_text", "text": "b", "cache_control": 1]]],
            ["role": "tool", "content": [["type": "text", "text": "c"], ["type": "text", "text": "d"]]],
            ["role": "assistant", "content": nil],
        ]
        let wanted: JSONValue = [
            ["role": "user", "content": [["type": "text", "text": "a"]]],
            ["role": "user", "content": [["type": "text", "text": "b", "cache_control": 1]]],
            ["role": "tool", "content": "c\nd"],
            ["role": "assistant", "content": []],
        ]
        #expect(try template.normalised(messages: given) == wanted)
    }

    @Test func wrongMessagesAreNamedByPath() throws {
        let template = try ChatTemplate(chatML)
        func message(_ given: JSONValue) -> String? {
            do throws(TemplateError) {
                _ = try template.normalised(messages: given)
                return nil
            } catch {
                return error.message
            }
        }
        #expect(message([["content": "x"]]) == "messages[0].role: expected a string, got nothing")
        #expect(message([["role": "user", "content": 1]])?.hasPrefix("messages[0].content: expected a string") == true)
        #expect(
            message(messages(("user", [["type": "image_url", "image_url": [:]]])))?
                .hasPrefix("messages[0].content[0].type: \"image_url\" is not supported") == true)
        #expect(
            message([["role": "assistant", "tool_calls": [["type": "custom"]]]])?
                .hasPrefix("messages[0].tool_calls[0]: only tool calls of type") == true)
    }
}
