import Checkpoints
import OpenAIProtocol
import Sampling
import Testing

/// Every number field × every hostile value: refused with the field's name, or accepted with exactly its meaning.
@Suite struct FieldTableTests {
    static let integers = [
        "n", "max_tokens", "min_tokens", "top_k", "seed", "prompt_logprobs", "truncate_prompt_tokens", "best_of",
        "priority", "stream_interval",
    ]
    static let numbers = [
        "temperature", "top_p", "min_p", "presence_penalty", "frequency_penalty", "repetition_penalty",
        "length_penalty",
    ]
    static let booleans = [
        "stream", "ignore_eos", "skip_special_tokens", "include_stop_str_in_output", "return_token_ids",
        "return_tokens_as_token_ids", "spaces_between_special_tokens", "use_beam_search", "add_special_tokens", "echo",
    ]
    static let texts = ["user", "session_id", "cache_salt", "request_id", "truncation_side", "model"]

    @Test(arguments: integers + numbers + booleans + texts)
    func nullIsAbsent(_ field: String) {
        #expect(refusal(completion: #""\#(field)":null"#) == nil)
        #expect(refusal(chat: #""\#(field)":null"#) == nil)
    }

    @Test(arguments: integers) func integersRefuseOtherThings(_ field: String) {
        for value in ["1.5", #""3""#, "true", "[]", "{}", "1e309", "9223372036854775808", "-9223372036854775809"] {
            for error in [refusal(completion: #""\#(field)":\#(value)"#), refusal(chat: #""\#(field)":\#(value)"#)] {
                if field == "best_of", value == "true" { continue }
                #expect(error?.status == 400, "\(field) \(value)")
                #expect(error?.message.hasPrefix("\(field): ") == true, "\(error?.message ?? "accepted")")
            }
        }
        #expect(refusal(completion: #""\#(field)":NaN"#)?.status == 400)
    }

    @Test(arguments: ["n", "max_tokens", "min_tokens", "top_k", "prompt_logprobs", "truncate_prompt_tokens", "best_of"])
    func integersOutOfRange(_ field: String) {
        for value in ["-2", "-9223372036854775808"] {
            #expect(refusal(completion: #""\#(field)":\#(value)"#)?.status == 400, "\(field) \(value)")
            #expect(refusal(chat: #""\#(field)":\#(value)"#)?.status == 400, "\(field) \(value)")
        }
    }

    @Test(arguments: ["n", "best_of", "min_tokens", "prompt_logprobs", "logprobs"])
    func integersTooLarge(_ field: String) {
        for value in ["2147483648", "1000000000", "9223372036854775807"] {
            #expect(refusal(completion: #""\#(field)":\#(value)"#)?.status == 400, "\(field) \(value)")
        }
    }

    @Test func integersWithMeaning() throws {
        #expect(try completion(#"{"prompt":"x","n":2.0}"#).sampling.n == 2)
        #expect(try completion(#"{"prompt":"x","top_k":-1}"#).sampling.topK == 0)
        #expect(try completion(#"{"prompt":"x","top_k":9223372036854775807}"#).sampling.topK == .max)
        #expect(try completion(#"{"prompt":"x","seed":-7}"#).sampling.seed == UInt64(bitPattern: -7))
        #expect(try completion(#"{"prompt":"x","seed":-1}"#).sampling.seed == nil)
        #expect(
            try completion(#"{"prompt":"x","seed":-9223372036854775808}"#).sampling.seed == UInt64(bitPattern: .min))
    }

    @Test(arguments: numbers) func numbersRefuseOtherThings(_ field: String) {
        for value in [#""1""#, "true", "[]", "{}", "1e309", "-1e309"] {
            for error in [refusal(completion: #""\#(field)":\#(value)"#), refusal(chat: #""\#(field)":\#(value)"#)] {
                #expect(error?.status == 400, "\(field) \(value)")
                #expect(error?.message.hasPrefix("\(field): ") == true, "\(error?.message ?? "accepted")")
                #expect(error?.parameter == field)
            }
        }
        for value in ["NaN", "Infinity", "-Infinity"] {
            #expect(refusal(completion: #""\#(field)":\#(value)"#)?.status == 400)
        }
    }

    @Test(arguments: numbers.dropLast()) func numbersOutOfRange(_ field: String) {
        for value in ["-9223372036854775808", "9223372036854775807", "1e300", "-1e300"] {
            let error = refusal(completion: #""\#(field)":\#(value)"#)
            #expect(error?.status == 400, "\(field) \(value)")
            #expect(error?.parameter == field)
        }
    }

    @Test func minusZeroIsZero() throws {
        #expect(try completion(#"{"prompt":"x","temperature":-0.0}"#).sampling.isGreedy)
        #expect(refusal(completion: #""top_p":-0.0"#)?.status == 400)
    }

    @Test(arguments: booleans) func booleansRefuseOtherThings(_ field: String) {
        for value in ["0", "1", #""true""#, "[]", "{}"] {
            let error = refusal(completion: #""\#(field)":\#(value)"#)
            #expect(error?.message.hasPrefix("\(field): expected a boolean, got ") == true, "\(field) \(value)")
        }
    }

    @Test(arguments: texts) func textsRefuseOtherThings(_ field: String) {
        for value in ["0", "true", "[]", "{}"] {
            let error = refusal(completion: #""\#(field)":\#(value)"#)
            #expect(error?.message.hasPrefix("\(field): expected a string, got ") == true, "\(field) \(value)")
        }
    }

    @Test(arguments: [
        (#""stop":5"#, "stop: expected a string or an array of strings, got integer"),
        (#""stop":["a",5]"#, "stop[1]: expected a string, got integer"),
        (#""bad_words":"x""#, "bad_words: expected an array, got string"),
        (#""stop_token_ids":["1"]"#, "stop_token_ids[0]: expected an integer, got string"),
        (#""stop_token_ids":[-1]"#, "stop_token_ids[0]: token id -1 is outside the vocabulary"),
        (#""allowed_token_ids":[1.5]"#, "allowed_token_ids[0]: expected an integer, got 1.5"),
        (#""logit_bias":{"a":1}"#, "logit_bias: expected token ids as keys, got `a`"),
        (#""logit_bias":{"-1":1}"#, "logit_bias: expected token ids as keys, got `-1`"),
        (#""logit_bias":{"1":"x"}"#, "logit_bias.1: expected a number, got string"),
        (#""logit_bias":[1]"#, "logit_bias: expected an object, got array"),
        (#""stream_options":{"include_usage":true}"#, "Stream options can only be defined when `stream=True`."),
        (
            #""stream":true,"stream_options":{"include_usage":1}"#,
            "stream_options.include_usage: expected a boolean, got integer"
        ),
        (
            #""response_format":{"type":"json_object"}"#,
            "response_format: type `json_object` is not supported yet; only `text` is."
        ),
        (#""response_format":"json""#, "response_format: expected an object, got string"),
        (
            #""best_of":3"#,
            "best_of: ranking several candidates is not supported; leave it out or set it to n (1), got 3"
        ),
    ])
    func messages(_ fields: String, _ message: String) {
        #expect(refusal(completion: fields)?.message == message)
    }

    @Test func unknownFieldsAreIgnored() {
        #expect(refusal(completion: #""no_stop_trim":1,"separate_reasoning":{},"x":[[[]]]"#) == nil)
        #expect(refusal(chat: #""no_stop_trim":1,"separate_reasoning":{},"x":[[[]]]"#) == nil)
    }

    @Test func longListsAreRefused() {
        let many = (0..<100_000).map { _ in #""a""# }.joined(separator: ",")
        #expect(refusal(completion: #""stop":[\#(many)]"#)?.status == 400)
        #expect(refusal(completion: #""bad_words":[\#(many)]"#)?.status == 400)
        let ids = (0..<100_000).map { _ in "1" }.joined(separator: ",")
        #expect(refusal(completion: #""stop_token_ids":[\#(ids)]"#)?.status == 400)
    }
}
