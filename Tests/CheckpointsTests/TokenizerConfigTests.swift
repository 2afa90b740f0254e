import Checkpoints
import Testing

@Suite struct GenerationConfigTests {
    private func config(_ object: JSONObject) throws -> GenerationConfig {
        try GenerationConfig(ConfigFields(file: "generation_config.json", object: object))
    }

    @Test func readsWhatModelsShip() throws {
        let config = try config([
            "do_sample": true, "temperature": 0.6, "top_p": 0.9, "top_k": 20, "min_p": 0.05, "repetition_penalty": 1.05,
            "max_new_tokens": 2048, "max_length": 4096, "bos_token_id": 151_643, "pad_token_id": 151_643,
            "eos_token_id": [151_645, 151_643], "stop_strings": "END", "transformers_version": "4.37.0",
        ])
        #expect(config.doSample == true && config.temperature == 0.6 && config.topP == 0.9 && config.topK == 20)
        #expect(config.minP == 0.05 && config.repetitionPenalty == 1.05 && config.maximumNewTokens == 2048)
        #expect(
            config.maximumLength == 4096 && config.endTokenIDs == [151_645, 151_643] && config.stopStrings == ["END"])
        #expect(config.beginTokenID == 151_643 && config.padTokenID == 151_643)
    }

    @Test func noFileMeansNoDefaults() throws {
        #expect(try GenerationConfig(folder: try TemporaryFolder().path) == GenerationConfig())
    }

    @Test(
        arguments: [
            ["temperature": -0.1], ["temperature": .double(.infinity)], ["temperature": "hot"], ["top_p": 0],
            ["top_p": 1.1],
            ["top_k": -2], ["top_k": 1.5], ["min_p": 2], ["repetition_penalty": 0], ["max_new_tokens": 0],
            ["do_sample": 1],
            ["stop_strings": [1]],
        ] as [JSONObject])
    func valuesOutOfRangeAreNamed(_ object: JSONObject) throws {
        let text = try #require(message { try config(object) })
        #expect(text.contains("field '\(object.keys[0])'"), "\(text)")
    }
}

@Suite struct TokenizerConfigTests {
    private func config(_ object: JSONObject) throws -> TokenizerConfig {
        try TokenizerConfig(ConfigFields(file: "tokenizer_config.json", object: object))
    }

    @Test func specialTokensAreStringsOrObjects() throws {
        let config = try config([
            "bos_token": "<s>", "eos_token": ["content": "</s>", "lstrip": false], "pad_token": nil,
            "image_token": "<image>",
            "add_bos_token": true, "add_eos_token": false, "add_prefix_space": false,
            "clean_up_tokenization_spaces": true,
            "tokenizer_class": "LlamaTokenizer", "model_max_length": 4096,
            "additional_special_tokens": ["<a>", ["content": "<b>"]],
        ])
        #expect(config.specialTokens == ["bos_token": "<s>", "eos_token": "</s>", "image_token": "<image>"])
        #expect(config.additionalSpecialTokens == ["<a>", "<b>"])
        #expect(config.addsBeginToken == true && config.addsEndToken == false && config.addsPrefixSpace == false)
        #expect(config.cleansUpTokenizationSpaces == true && config.maximumLength == 4096)
        #expect(config.tokenizerClass == "LlamaTokenizer")
    }

    @Test func veryLargeLengthsMeanNone() throws {
        for text in ["1000000000000000019884624838656", "1e30", "null"] {
            let object = try #require(try JSONValue(parsing: "{\"model_max_length\":\(text)}").object)
            #expect(try config(object).maximumLength == nil)
        }
    }

    @Test func extraSpecialTokensOfTransformers5() throws {
        #expect(try config(["extra_special_tokens": ["image_token": "<i>"]]).specialTokens == ["image_token": "<i>"])
        #expect(try config(["extra_special_tokens": ["<a>"]]).additionalSpecialTokens == ["<a>"])
    }

    @Test func addedTokensByID() throws {
        let config = try config([
            "added_tokens_decoder": [
                "0": [
                    "content": "<s>", "special": true, "lstrip": true, "rstrip": false, "single_word": true,
                    "normalized": true,
                ],
                "7": ["content": "x"],
            ]
        ])
        let begin = try #require(config.addedTokens[0])
        #expect(begin.content == "<s>" && begin.isSpecial && begin.stripsLeft && !begin.stripsRight)
        #expect(begin.isSingleWord && begin.isNormalized)
        #expect(config.addedTokens[7]?.isSpecial == false)
    }

    @Test(
        arguments: [
            ["chat_template": 3], ["chat_template": [["name": "a"]]], ["add_bos_token": "yes"],
            ["additional_special_tokens": [3]],
            ["additional_special_tokens": "a"], ["added_tokens_decoder": ["x": ["content": "a"]]],
            ["added_tokens_decoder": ["1": ["special": true]]], ["added_tokens_decoder": []],
            ["model_max_length": "long"],
            ["extra_special_tokens": ["a": 1]], ["tokenizer_class": []],
        ] as [JSONObject])
    func wrongValuesAreNamed(_ object: JSONObject) throws {
        let text = try #require(message { try config(object) })
        #expect(text.contains("field '\(object.keys[0])"), "\(text)")
    }

    @Test func templatesMayBeNamed() throws {
        #expect(try config(["chat_template": "x"]).chatTemplate == "x")
        let list: JSONValue = [["name": "default", "template": "a"], ["name": "tool_use", "template": "b"]]
        #expect(try config(["chat_template": list]).chatTemplates == ["default": "a", "tool_use": "b"])
        #expect(
            try config(["chat_template": ["default": "a", "rag": "c"]]).chatTemplates == ["default": "a", "rag": "c"])
        #expect(try config([:]).chatTemplate == nil)
    }

    @Test func templateFilesGoFirst() throws {
        let folder = try TemporaryFolder()
        try folder.write("chat_template.json", #"{"chat_template":"from json"}"#)
        #expect(try TokenizerConfig(folder: folder.path).chatTemplate == "from json")
        try folder.write("tokenizer_config.json", #"{"chat_template":"from config"}"#)
        #expect(try TokenizerConfig(folder: folder.path).chatTemplate == "from config")
        try folder.write("chat_template.jinja", "from jinja é")
        try folder.write("additional_chat_templates/tool_use.jinja", "tools")
        try folder.write("additional_chat_templates/README.md", "no template")
        #expect(
            try TokenizerConfig(folder: folder.path).chatTemplates == ["default": "from jinja é", "tool_use": "tools"])
        try folder.write("chat_template.jinja", [0xFF])
        #expect(message { try TokenizerConfig(folder: folder.path) }?.contains("not UTF-8") == true)
    }

    @Test func mapFillsTokensThatTheConfigLacks() throws {
        let folder = try TemporaryFolder()
        try folder.write("special_tokens_map.json", #"{"bos_token":{"content":"<map>"},"eos_token":"</map>"}"#)
        #expect(
            try TokenizerConfig(folder: folder.path).specialTokens == ["bos_token": "<map>", "eos_token": "</map>"])
        try folder.write("tokenizer_config.json", #"{"bos_token":"<s>"}"#)
        #expect(try TokenizerConfig(folder: folder.path).specialTokens == ["bos_token": "<s>", "eos_token": "</map>"])
    }
}
