import Checkpoints
import Engine

/// A body of `POST /tokenize`: a prompt or a conversation.
package struct TokenizeRequest: Sendable, Equatable {
    package enum Input: Sendable, Equatable {
        case prompt(String)
        case chat(ChatInput)
    }

    package var input: Input
    package var addSpecialTokens: Bool
    package var returnTokenStrings: Bool

    package init(
        _ body: JSONValue, model: ModelInformation, limits: RequestLimits,
        isAdapter: (String) -> Bool = { _ in false }
    ) throws(APIError) {
        let fields = try Fields(body)
        // Adapters share the model's tokenizer.
        _ = try AdapterFields(fields, model, isAdapter: isAdapter)
        returnTokenStrings = try fields.bool("return_token_strs") ?? false
        let special = try fields.bool("add_special_tokens")
        if let prompt = try fields.string("prompt") {
            input = .prompt(prompt)
            addSpecialTokens = special ?? true
        } else if fields.value("messages") != nil {
            input = .chat(try fields.chat(limits))
            addSpecialTokens = special ?? false
        } else {
            throw .badRequest("prompt: the field is required (or `messages`)", parameter: "prompt")
        }
    }

    /// The response body: `count`, `max_model_len`, `tokens`, `token_strs`.
    package func respond(_ model: ModelInformation, _ text: some TextService) throws(APIError) -> [UInt8] {
        let tokens: [Int32]
        switch input {
        case .prompt(let prompt): tokens = text.encode(prompt, addSpecialTokens: addSpecialTokens)
        case .chat(let chat): tokens = try chat.tokens(text, addSpecialTokens: addSpecialTokens)
        }
        var json = JSONBuffer()
        json.raw(#"{"count":"#)
        json.integer(tokens.count)
        json.raw(#","max_model_len":"#)
        json.integer(model.maxModelLength)
        json.raw(#","tokens":"#)
        json.integers(tokens)
        json.raw(#","token_strs":"#)
        if returnTokenStrings {
            json.list(tokens) { $0.string(text.piece($1) ?? "") }
        } else {
            json.raw("null")
        }
        json.raw("}")
        return json.bytes
    }
}

/// A body of `POST /detokenize`.
package struct DetokenizeRequest: Sendable, Equatable {
    package var tokens: [Int32]
    package var adapters: AdapterFields

    package init(
        _ body: JSONValue, model: ModelInformation, isAdapter: (String) -> Bool = { _ in false }
    ) throws(APIError) {
        let fields = try Fields(body)
        adapters = try AdapterFields(fields, model, isAdapter: isAdapter)
        guard let values = try fields.array("tokens") else {
            throw .badRequest("tokens: the field is required", parameter: "tokens")
        }
        tokens = try Fields.tokens(values, "tokens")
    }

    /// The response body: `{"prompt": text}`, special tokens included.
    ///
    /// - Parameter vocabularySize: the model's, with the tokens that the request's adapters bring; these have no text.
    package func respond(_ text: some TextService, vocabularySize: Int) throws(APIError) -> [UInt8] {
        try ModelInformation.check(tokens, "tokens", vocabularySize: vocabularySize)
        var json = JSONBuffer()
        json.raw(#"{"prompt":"#)
        json.string(text.decode(tokens, skipSpecialTokens: false))
        json.raw("}")
        return json.bytes
    }
}
