import Checkpoints
import Testing

@testable import Tokenizers

/// Whole tokenizers against the reference, in both directions.
@Suite struct TokenizerTests {
    @Test(arguments: Fixture.tokenizers)
    func `small tokenizers encode and decode like the reference`(name: String) throws {
        let tokenizer = try Fixture.tokenizer(name)
        for testCase in try Fixture.array(name + ".cases.json") {
            let text = try #require(testCase["text"]?.string)
            let ids = tokenizer.encode(text, addSpecialTokens: false)
            #expect(ids == testCase["ids"]?.ids, "\(name) on \(text.debugDescription)")
            #expect(
                tokenizer.encode(text) == testCase["full"]?.ids ?? testCase["ids"]?.ids,
                "\(name) with special tokens on \(text.debugDescription)")
            guard let decoded = testCase["decoded"]?.string, let skipped = testCase["skipped"]?.string else { continue }
            let given = testCase["decoded_ids"]?.ids ?? ids
            let all = tokenizer.decode(given, skipSpecialTokens: false)
            #expect(Array(all.utf8) == Array(decoded.utf8), "\(name) decoding \(given)")
            let some = tokenizer.decode(given, skipSpecialTokens: true)
            #expect(Array(some.utf8) == Array(skipped.utf8), "\(name) decoding \(given) without special tokens")
        }
    }

    @Test func `tokens can be looked up both ways`() throws {
        let tokenizer = try Fixture.tokenizer("llama3")
        for id in 0..<Int32(tokenizer.vocabularySize) {
            let piece = try #require(tokenizer.piece(id))
            #expect(tokenizer.id(of: piece) == id)
        }
        #expect(tokenizer.piece(-1) == nil)
        #expect(tokenizer.piece(Int32(tokenizer.vocabularySize)) == nil)
        #expect(tokenizer.id(of: "no such token") == nil)
        #expect(tokenizer.isSpecial(0))
        #expect(!tokenizer.isSpecial(100))
        #expect(tokenizer.bytes(of: try #require(tokenizer.id(of: "Ġthe"))) == Array(" the".utf8))
    }

    @Test func `bytes of SentencePiece tokens are those of running text`() throws {
        let tokenizer = try Fixture.tokenizer("llama2")
        #expect(tokenizer.bytes(of: try #require(tokenizer.id(of: "▁"))) == [0x20])
        #expect(tokenizer.bytes(of: try #require(tokenizer.id(of: "<0x0A>"))) == [0x0A])
        #expect(tokenizer.bytes(of: try #require(tokenizer.id(of: "<0xE4>"))) == [0xE4])
    }

    @Test func `names of special tokens come from the configuration`() throws {
        let json = try Fixture.bytes(Fixture.folder + "/llama3.tokenizer.json")
        var config = TokenizerConfig()
        config.specialTokens = ["bos_token": "<|bos|>", "eos_token": "<|eos|>"]
        let tokenizer = try Tokenizer(tokenizerJSON: json, config: config)
        #expect(tokenizer.bosTokenID == 0)
        #expect(tokenizer.eosTokenID == 1)
        #expect(try Fixture.tokenizer("llama3").bosTokenID == nil)
    }

    @Test func `many threads encode at once`() async throws {
        let tokenizer = try Fixture.tokenizer("llama3")
        let texts = try Fixture.array("llama3.cases.json").compactMap { $0["text"]?.string }
        let expected = texts.map { tokenizer.encode($0) }
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<16 {
                group.addTask { texts.map { tokenizer.encode($0) } == expected }
            }
            for await isEqual in group { #expect(isEqual) }
        }
    }

    @Test(arguments: Fixture.tokenizers)
    func `long runs are encoded and come back`(name: String) throws {
        let tokenizer = try Fixture.tokenizer(name)
        let half = 1 << 15
        for unit in ["a", " ", "😀", "\n", "1", "'s", "e\u{301}"] {
            let run = String(repeating: unit, count: half)
            let ids = tokenizer.encode(run, addSpecialTokens: false)
            #expect(ids.count <= 16 * half)
            if name == "gpt2" || name == "llama3" || name == "o200k" {
                #expect(tokenizer.decode(ids) == run, "\(name) on \(unit.debugDescription)")
            }
        }
    }
}
