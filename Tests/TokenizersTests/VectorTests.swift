import Checkpoints
import Foundation
import Testing

@testable import Tokenizers

/// Real vocabularies with vectors that other programs have written; runs where `MARTLET_DATA` points at them.
@Suite(.enabled(if: !Fixture.vectorFolders.isEmpty)) struct VectorTests {
    @Test(arguments: Fixture.vectorFolders)
    func `all vectors of the reference`(folder: String) throws {
        let tokenizer = try Tokenizer(folder: folder)
        for vector in try Fixture.json(folder + "/vectors_hf.json")["vectors"]?.array ?? [] {
            let text = try #require(vector["text"]?.string)
            let expected = try #require(vector["ids"]?.ids)
            let ids = tokenizer.encode(text, addSpecialTokens: false)
            #expect(ids == expected, "\(folder) on \(text.debugDescription)")
            let full = tokenizer.encode(text)
            #expect(full == vector["ids_with_special"]?.ids ?? expected, "\(folder) on \(text.debugDescription)")
            let decoded = vector["decoded"]?.string ?? text
            #expect(Self.equal(tokenizer.decode(ids, skipSpecialTokens: false), decoded))
            let skipped = vector["decoded_skip_special"]?.string ?? decoded
            #expect(Self.equal(tokenizer.decode(full, skipSpecialTokens: true), skipped))
        }
    }

    @Test(arguments: Fixture.vectorFolders)
    func `the vectors of llama.cpp`(folder: String) throws {
        let base = folder + "/ggml-vocab-" + (folder as NSString).lastPathComponent + ".gguf"
        guard FileManager.default.fileExists(atPath: base + ".inp") else { return }
        let separator = "\n__ggml_vocab_test__\n"
        let input = String(decoding: try Fixture.bytes(base + ".inp"), as: UTF8.self)
        let output = String(decoding: try Fixture.bytes(base + ".out"), as: UTF8.self)
        let texts = input.components(separatedBy: separator)
        let lines = output.split(separator: "\n", omittingEmptySubsequences: false)
        let tokenizer = try Tokenizer(folder: folder)
        for (text, line) in zip(texts, lines) {
            let expected = line.split(separator: " ").compactMap { Int32($0) }
            #expect(
                tokenizer.encode(text, addSpecialTokens: false) == expected,
                "\(folder) on \(text.debugDescription)")
        }
    }

    @Test(arguments: Fixture.vectorFolders)
    func `streams equal whole texts`(folder: String) throws {
        let tokenizer = try Tokenizer(folder: folder)
        for vector in (try Fixture.json(folder + "/vectors_hf.json")["vectors"]?.array ?? []).prefix(200) {
            let ids = try #require(vector["ids"]?.ids)
            var decoder = StreamingDecoder(tokenizer: tokenizer, skipSpecialTokens: false)
            var text = ""
            for id in ids { text += decoder.append(id) }
            text += decoder.finish()
            #expect(Self.equal(text, tokenizer.decode(ids, skipSpecialTokens: false)))
        }
    }

    private static func equal(_ left: String, _ right: String) -> Bool { Array(left.utf8) == Array(right.utf8) }
}
