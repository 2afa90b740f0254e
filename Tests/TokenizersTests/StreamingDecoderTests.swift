import Checkpoints
import Testing

@testable import Tokenizers

@Suite struct StreamingDecoderTests {
    private func deltas(_ decoder: StreamingDecoder, _ ids: [Int32]) -> [String] {
        var decoder = decoder
        var result = ids.map { decoder.append($0) }
        result.append(decoder.finish())
        return result
    }

    @Test(arguments: Fixture.tokenizers)
    func `all parts together are the decoded text`(name: String) throws {
        let tokenizer = try Fixture.tokenizer(name)
        for testCase in try Fixture.array(name + ".cases.json") {
            let ids = testCase["decoded_ids"]?.ids ?? testCase["ids"]?.ids ?? []
            for skips in [false, true] {
                let decoder = StreamingDecoder(tokenizer: tokenizer, skipSpecialTokens: skips)
                let whole = tokenizer.decode(ids, skipSpecialTokens: skips)
                #expect(Array(deltas(decoder, ids).joined().utf8) == Array(whole.utf8), "\(name) on \(ids)")
            }
        }
    }

    @Test(arguments: Fixture.tokenizers)
    func `a prompt moves no text`(name: String) throws {
        let tokenizer = try Fixture.tokenizer(name)
        for testCase in try Fixture.array(name + ".cases.json") {
            let ids = testCase["ids"]?.ids ?? []
            for cut in [1, ids.count / 2, ids.count - 1] where cut > 0 && cut < ids.count {
                let prompt = Array(ids[..<cut])
                var before = StreamingDecoder(tokenizer: tokenizer, skipSpecialTokens: false)
                let promptText = prompt.map { before.append($0) }.joined()
                let decoder = StreamingDecoder(tokenizer: tokenizer, skipSpecialTokens: false, prompt: prompt)
                let text = promptText + deltas(decoder, Array(ids[cut...])).joined()
                #expect(Array(text.utf8) == Array(tokenizer.decode(ids, skipSpecialTokens: false).utf8))
            }
        }
    }

    @Test func `a character in several tokens comes whole`() throws {
        let tokenizer = try Fixture.tokenizer("gpt2")
        let text = "naïve 👩‍👩‍👧‍👦 ☃ 你好"
        // One token for every byte is the hardest case.
        let ids = text.utf8.compactMap { tokenizer.id(of: String(decoding: ByteAlphabet.spell([$0]), as: UTF8.self)) }
        #expect(ids.count == text.utf8.count)
        let parts = deltas(StreamingDecoder(tokenizer: tokenizer, skipSpecialTokens: true), ids)
        #expect(parts.joined() == text)
        #expect(parts.allSatisfy { !$0.unicodeScalars.contains("\u{FFFD}") })
    }

    @Test func `bytes that are no text become replacement characters`() throws {
        let tokenizer = try Fixture.tokenizer("gpt2")
        let bytes: [UInt8] = [0xF0, 0x9F, 0x41, 0x80, 0xE4, 0xBD]
        let ids = bytes.compactMap { tokenizer.id(of: String(decoding: ByteAlphabet.spell([$0]), as: UTF8.self)) }
        let parts = deltas(StreamingDecoder(tokenizer: tokenizer, skipSpecialTokens: true), ids)
        #expect(parts == ["", "", "\u{FFFD}A", "\u{FFFD}", "", "", "\u{FFFD}"])
    }

    @Test func `byte tokens wait until their run ends`() throws {
        let tokenizer = try Fixture.tokenizer("llama2")
        let ids = try ["<0xE4>", "<0xBD>", "<0xA0>", "a"].map { try #require(tokenizer.id(of: $0)) }
        let parts = deltas(StreamingDecoder(tokenizer: tokenizer, skipSpecialTokens: true), ids)
        #expect(parts == ["", "", "", "你a", ""])
        let broken = deltas(StreamingDecoder(tokenizer: tokenizer, skipSpecialTokens: true), [ids[0], ids[1], ids[3]])
        #expect(broken == ["", "", "\u{FFFD}\u{FFFD}a", ""])
    }

    @Test func `the first space of a text goes, a space within stays`() throws {
        let tokenizer = try Fixture.tokenizer("llama2")
        let space = try #require(tokenizer.id(of: "▁"))
        let letter = try #require(tokenizer.id(of: "a"))
        var fresh = StreamingDecoder(tokenizer: tokenizer, skipSpecialTokens: true)
        #expect([fresh.append(space), fresh.append(letter), fresh.append(space)] == ["", "a", " "])
        var continued = StreamingDecoder(tokenizer: tokenizer, skipSpecialTokens: true, prompt: [letter])
        #expect([continued.append(space), continued.append(letter)] == [" ", "a"])
    }

    @Test func `special tokens are left out on demand`() throws {
        let tokenizer = try Fixture.tokenizer("llama3")
        let ids = tokenizer.encode("<|bos|>the<|eos|>", addSpecialTokens: false)
        #expect(deltas(.init(tokenizer: tokenizer, skipSpecialTokens: true), ids).joined() == "the")
        #expect(deltas(.init(tokenizer: tokenizer, skipSpecialTokens: false), ids).joined() == "<|bos|>the<|eos|>")
    }
}
