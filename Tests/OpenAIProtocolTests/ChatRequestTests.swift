import Checkpoints
import OpenAIProtocol
import Sampling
import Testing

@Suite struct ChatRequestTests {
    private static let messages = #""messages":[{"role":"user","content":"x"}]"#

    @Test func defaults() throws {
        let request = try chat("{\(Self.messages)}")
        #expect(request.sampling.maxTokens == nil)
        #expect(!request.addSpecialTokens)
        #expect(request.chat.addGenerationPrompt)
        #expect(try request.prepare(information, ByteText()).sampling.maxTokens == 99)
    }

    @Test func newNameOfMaxTokensWins() throws {
        let both = try chat(#"{\#(Self.messages),"max_tokens":3,"max_completion_tokens":4}"#)
        #expect(try both.prepare(information, ByteText()).sampling.maxTokens == 4)
        let old = try chat(#"{\#(Self.messages),"max_tokens":3}"#)
        #expect(try old.prepare(information, ByteText()).sampling.maxTokens == 3)
    }

    @Test(arguments: [
        ("{}", "messages: the field is required"),
        (#"{"messages":[]}"#, "messages: expected at least one message"),
        (#"{"messages":{}}"#, "messages: expected an array, got object"),
        (#"{"messages":["x"]}"#, "messages[0]: expected an object, got string"),
        (#"{"messages":[{"content":"x"}]}"#, "messages[0].role: the field is required"),
        (#"{"messages":[{"role":5,"content":"x"}]}"#, "messages[0].role: expected a string, got integer"),
        (#"{"messages":[{"role":"user"}]}"#, "messages[0].content: the field is required"),
        (
            #"{"messages":[{"role":"user","content":5}]}"#,
            "messages[0].content: expected a string or an array, got integer"
        ),
        (#"{"messages":[{"role":"user","content":[5]}]}"#, "messages[0].content[0]: expected an object, got integer"),
        (
            #"{"messages":[{"role":"user","content":[{"text":"x"}]}]}"#,
            "messages[0].content[0].type: the field is required"
        ),
        (
            #"{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"http://x"}}]}]}"#,
            "messages[0].content[0].type: this model takes text only, got `image_url`"
        ),
        (#"{"messages":[{"role":"user","content":"x","name":1}]}"#, "messages[0].name: expected a string, got integer"),
    ])
    func wrongMessages(_ body: String, _ message: String) throws {
        let error = try #require(throws: APIError.self) { try chat(body) }
        #expect(error.message == message)
        #expect(error.status == 400)
    }

    @Test func partsAndToolCallsArePassedOn() throws {
        let request = try chat(
            #"""
            {"messages":[{"role":"user","content":[{"type":"text","text":"a"}]},
            {"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]},
            {"role":"tool","tool_call_id":"1","content":"4"}]}
            """#)
        #expect(request.chat.messages.array?.count == 3)
        #expect(request.chat.messages.array?[1]["tool_calls"]?.array?.count == 1)
    }

    @Test func tools() throws {
        let tool = #"{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}"#
        let request = try chat(#"{\#(Self.messages),"tools":[\#(tool)],"tool_choice":"auto"}"#)
        #expect(request.chat.tools?.array?.count == 1)
        #expect(refusal(chat: #""tools":[{"type":"function"}]"#)?.message == "tools[0].function: the field is required")
        #expect(refusal(chat: #""tools":[]"#) == nil)
        #expect(refusal(chat: #""tool_choice":"auto""#)?.status == 400)
        #expect(refusal(chat: #""tool_choice":"none""#) == nil)
        for choice in [#""required""#, #"{"type":"function","function":{"name":"f"}}"#, #""other""#, "5"] {
            #expect(refusal(chat: #""tools":[\#(tool)],"tool_choice":\#(choice)"#)?.parameter == "tool_choice")
        }
    }

    @Test func logprobs() throws {
        #expect(try chat(#"{\#(Self.messages),"logprobs":true,"top_logprobs":5}"#).sampling.logprobs == 5)
        #expect(try chat(#"{\#(Self.messages),"logprobs":true}"#).sampling.logprobs == 0)
        #expect(try chat(#"{\#(Self.messages),"logprobs":false,"top_logprobs":0}"#).sampling.logprobs == nil)
        #expect(
            refusal(chat: #""top_logprobs":5"#)?.message
                == "when using `top_logprobs`, `logprobs` must be set to true.")
        #expect(refusal(chat: #""logprobs":true,"top_logprobs":21"#)?.status == 400)
        #expect(refusal(chat: #""logprobs":true,"top_logprobs":-1"#)?.status == 400)
        #expect(refusal(chat: #""logprobs":1"#)?.message == "logprobs: expected a boolean, got integer")
    }

    @Test func finalMessage() throws {
        let continued = try chat(
            #"{"messages":[{"role":"assistant","content":"Once"}],"continue_final_message":true,"add_generation_prompt":false,"echo":true}"#
        )
        #expect(continued.chat.continueFinalMessage)
        #expect(try continued.prepare(information, ByteText()).echo == "Once")
        #expect(
            refusal(chat: #""continue_final_message":true"#)?.message
                == "Cannot set both `continue_final_message` and `add_generation_prompt` to True.")
    }

    @Test func templatesOfRequestsNeedTrust() throws {
        #expect(refusal(chat: #""chat_template":"{{ 1 }}""#)?.message.contains("--trust-request-chat-template") == true)
        var limits = RequestLimits()
        limits.trustsChatTemplates = true
        let request = try chat(#"{\#(Self.messages),"chat_template":"{{ 1 }}"}"#, limits: limits)
        #expect(request.chat.template == "{{ 1 }}")
    }

    @Test func templateArguments() throws {
        let request = try chat(
            #"{\#(Self.messages),"chat_template_kwargs":{"enable_thinking":false},"reasoning_effort":"low"}"#)
        #expect(request.chat.kwargs["enable_thinking"] == false)
        #expect(request.chat.kwargs["reasoning_effort"] == "low")
        for name in ["messages", "tools", "tokenize", "chat_template", "add_generation_prompt"] {
            #expect(refusal(chat: #""chat_template_kwargs":{"\#(name)":1}"#)?.status == 400)
        }
        #expect(refusal(chat: #""documents":[5]"#)?.message == "documents[0]: expected an object, got integer")
    }

    @Test func openAIFieldsWithoutMeaningHereAreAccepted() {
        #expect(
            refusal(
                chat: #"""
                    "user":"u","metadata":{"a":"b"},"store":true,"service_tier":"auto","parallel_tool_calls":true,
                    "verbosity":"low","prompt_cache_key":"k","priority":1,"cache_salt":"s","modalities":["text"]
                    """#) == nil)
        #expect(refusal(chat: #""metadata":5"#)?.message == "metadata: expected an object, got integer")
    }
}
