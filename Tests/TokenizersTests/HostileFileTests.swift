import Checkpoints
import Testing

@testable import Tokenizers

/// Broken and malicious files are refused with the field's name.
@Suite struct HostileFileTests {
    private static let bpe = #""model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]}"#

    private func failure(_ json: String) -> String {
        do {
            _ = try Tokenizer(tokenizerJSON: Array(json.utf8))
            return "accepted"
        } catch {
            return error.description
        }
    }

    @Test(arguments: [
        ("", "unexpected end"), ("[]", "expected an object"), ("{}", "model: the field is missing"),
        (#"{"model":null}"#, "model: expected an object"), (#"{"model":{}}"#, "model.vocab: the field is missing"),
        (#"{"version":"2.0","model":{"vocab":{}}}"#, "version: expected '1.0'"),
        (#"{"model":{"type":"BPE","vocab":{"a":0}}}"#, "model.merges: the field is missing"),
        (#"{"model":{"type":"BPE","vocab":[],"merges":[]}}"#, "model.vocab"),
        (#"{"model":{"type":"BPE","vocab":{"a":-1},"merges":[]}}"#, "the id -1"),
        (#"{"model":{"type":"BPE","vocab":{"a":4000000000},"merges":[]}}"#, "the id 4000000000"),
        (#"{"model":{"type":"BPE","vocab":{"a":1e30},"merges":[]}}"#, "not a whole number"),
        (#"{"model":{"type":"BPE","vocab":{"a":1.5},"merges":[]}}"#, "not a whole number"),
        (#"{"model":{"type":"BPE","vocab":{"a":"0"},"merges":[]}}"#, "model"),
        (#"{"model":{"type":"BPE","vocab":{"a":0,"b":0},"merges":[]}}"#, "the id 0 is given to two tokens"),
        (#"{"model":{"type":"BPE","vocab":{"a":0},"merges":["a b"]}}"#, "merges[0]: the merge needs the token 'b'"),
        (#"{"model":{"type":"BPE","vocab":{"a":0,"b":1},"merges":["a b"]}}"#, "needs the token 'ab'"),
        (#"{"model":{"type":"BPE","vocab":{"a":0},"merges":["a"]}}"#, "merges[0]: expected two tokens"),
        (#"{"model":{"type":"BPE","vocab":{"a":0},"merges":[["a"]]}}"#, "merges[0]: expected two tokens"),
        (#"{"model":{"type":"BPE","vocab":{"a":0},"merges":[["a","a","a"]]}}"#, "merges[0]: expected two tokens"),
        (#"{"model":{"type":"BPE","vocab":{"a":0},"merges":[7]}}"#, "merges[0]: expected two tokens"),
        (#"{"model":{"type":"BPE","vocab":{"a":0},"merges":{}}}"#, "merges: expected an array"),
        (#"{"model":{"type":"Magic","vocab":{"a":0}}}"#, "model.type: the model 'Magic' is not supported"),
        (#"{"model":{"type":"WordLevel","vocab":{"a":0}}}"#, "model.unk_token"),
        (#"{"model":{"type":"WordPiece","unk_token":"u","vocab":{"a":0}}}"#, "model.unk_token"),
        (#"{"model":{"type":"Unigram","unk_id":3,"vocab":[["a",0.0]]}}"#, "model.unk_id: 3 is out of range"),
        (#"{"model":{"type":"Unigram","vocab":[["a"]]}}"#, "model.vocab[0]"),
        (#"{"model":{"type":"Unigram","vocab":[["a",1e999]]}}"#, "model.vocab[0]"),
        (#"{"model":{"type":"Unigram","vocab":{"a":0}}}"#, "model.vocab"),
        (#"{"model":{"vocab":{},"vocab":{}}}"#, "given twice"), (#"{"model":{"vocab":{"#, "unexpected end"),
    ])
    func `a broken model is refused`(json: String, message: String) {
        let text = failure(json)
        #expect(text.contains(message), "\(json): \(text)")
    }

    @Test(arguments: [
        (#""pre_tokenizer":{"type":"Magic"}"#, "pre_tokenizer.type: the pre-tokenizer 'Magic' is not supported"),
        (
            #""pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Whitespace"},{"type":"X"}]}"#,
            "pre_tokenizer.pretokenizers[1].type"
        ), (#""pre_tokenizer":{"type":"Split","behavior":"Isolated","invert":false}"#, "pre_tokenizer.pattern"),
        (
            #""pre_tokenizer":{"type":"Split","pattern":{"Regex":"(a"},"behavior":"Isolated","invert":false}"#,
            "pre_tokenizer.pattern.Regex: unsupported pattern: expected ')', at character 2"
        ),
        (
            #""pre_tokenizer":{"type":"Split","pattern":{"Regex":"(a)\\1"},"behavior":"Isolated","invert":false}"#,
            "back references"
        ),
        (
            #""pre_tokenizer":{"type":"Split","pattern":{"Regex":"\\p{Klingon}"},"behavior":"Isolated","invert":false}"#,
            "'Klingon'"
        ),
        (
            #""pre_tokenizer":{"type":"Split","pattern":{"Regex":"((((a{999}){999}){999}){999})"},"behavior":"Isolated","invert":false}"#,
            "too large"
        ),
        (
            #""pre_tokenizer":{"type":"Split","pattern":{"Regex":"a{1000000000}"},"behavior":"Isolated","invert":false}"#,
            "repetitions"
        ), (#""pre_tokenizer":{"type":"FixedLength","length":0}"#, "pre_tokenizer.length: 0 is out of range"),
        (#""normalizer":{"type":"Magic"}"#, "normalizer.type: the normalizer 'Magic'"),
        (#""normalizer":{"type":"Precompiled","precompiled_charsmap":"/////w=="}"#, "normalizer.precompiled_charsmap"),
        (#""normalizer":{"type":"Precompiled","precompiled_charsmap":"*"}"#, "not valid base64"),
        (#""normalizer":{"type":"Replace","pattern":{"String":""},"content":"a"}"#, "empty pattern"),
        (#""decoder":{"type":"Magic"}"#, "decoder.type: the decoder 'Magic'"),
        (
            #""decoder":{"type":"Strip","content":"ab","start":0,"stop":0}"#,
            "decoder.content: expected a single character"
        ),
        (#""post_processor":{"type":"Magic"}"#, "post_processor.type: the post-processor 'Magic'"),
        (
            #""post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x"}}],"special_tokens":{}}"#,
            "post_processor.single[0].SpecialToken.id"
        ), (#""added_tokens":[{"id":0}]"#, "added_tokens[0].content"),
        (#""added_tokens":[{"id":-4,"content":"x"}]"#, "added_tokens[0].id: -4 is out of range"),
        (#""added_tokens":[{"id":1e18,"content":"x"}]"#, "added_tokens[0].id"),
        (#""added_tokens":{"a":1}"#, "added_tokens: expected an array"),
    ])
    func `a broken component is refused`(member: String, message: String) {
        let text = failure("{\(member),\(Self.bpe)}")
        #expect(text.contains(message), "\(member): \(text)")
    }

    @Test func `deep nesting is refused`() {
        for name in ["pretokenizers", "normalizers", "decoders", "processors"] {
            let open = String(repeating: #"{"type":"Sequence","\#(name)":["#, count: 100_000)
            for member in ["normalizer", "pre_tokenizer", "decoder", "post_processor"] {
                #expect(failure("{\"\(member)\":\(open)").contains("deep"))
            }
        }
        let pattern = String(repeating: "(", count: 19_000)
        let split = #"{"type":"Split","pattern":{"Regex":"\#(pattern)"},"behavior":"Isolated","invert":false}"#
        #expect(failure("{\"pre_tokenizer\":\(split),\(Self.bpe)}").contains("too deep"))
    }

    @Test(arguments: Fixture.tokenizers)
    func `every truncation of a file is refused`(name: String) throws {
        let bytes = try Fixture.bytes(Fixture.folder + "/" + name + ".tokenizer.json")
        for length in stride(from: 0, to: bytes.count - 2, by: max(1, bytes.count / 60)) {
            #expect(throws: TokenizerError.self) { _ = try Tokenizer(tokenizerJSON: Array(bytes[..<length])) }
        }
    }

    @Test(arguments: Fixture.tokenizers)
    func `a changed byte never crashes`(name: String) throws {
        let bytes = try Fixture.bytes(Fixture.folder + "/" + name + ".tokenizer.json")
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<60 {
            var changed = bytes
            for _ in 0..<3 {
                changed[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(
                    in: 0x20..<0x7F, using: &generator)
            }
            guard let tokenizer = try? Tokenizer(tokenizerJSON: changed) else { continue }
            let ids = tokenizer.encode("Hello wörld 123\n 你好 <s> it's")
            _ = tokenizer.decode(ids)
        }
    }
}

/// SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}
