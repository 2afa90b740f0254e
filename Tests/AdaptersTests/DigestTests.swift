import Checkpoints
import Testing

@testable import Adapters

@Suite struct DigestTests {
    private func digest(_ name: String, _ change: (TemporaryAdapter) throws -> Void = { _ in }) throws -> AdapterDigest
    {
        let adapter = try TemporaryAdapter(name)
        try change(adapter)
        return try AdapterLoader.load(folder: adapter.folder, catalog: try Folders.catalog()).digest
    }

    @Test(arguments: AdapterCase.all)
    func placeDoesNotCount(_ test: AdapterCase) throws {
        let copy = try TemporaryAdapter(test.name)
        try copy.reverseConfiguration()
        let loaded = try AdapterLoader.load(folder: copy.folder, catalog: try Folders.catalog(test.model))
        #expect(loaded.digest == (try test.load().digest))
        #expect(loaded.digest == loaded.currentDigest())
        #expect(loaded.digest.description.count == 64)
    }

    @Test func contentCounts() throws {
        let original = try digest("lora")
        #expect(try digest("lora") { try $0.set("lora_dropout", 0.5) } == original)
        #expect(try digest("lora") { try $0.set("base_model_name_or_path", "another") } == original)
        #expect(try digest("lora") { try $0.set("lora_alpha", 6.9999) } != original)
        #expect(try digest("lora") { try $0.set("use_rslora", true) } != original)
        #expect(try digest("lora") { try $0.set("alpha_pattern", ["q_proj": 3]) } != original)
        #expect(try digest("lora") { try $0.set("alora_invocation_tokens", [5]) } != original)
        #expect(try digest("lora") { try $0.set("alora_invocation_tokens", [6]) } != original)
        #expect(try digest("lora") { try $0.changeWeights { $0[$0.count - 4] ^= 1 } } != original)
        #expect(try digest("lora-bfloat16") != original)
        #expect(
            try digest("lora-tokens") { try $0.set("trainable_token_indices", [7, 3, 30]) } != digest("lora-tokens"))
    }

    @Test func digestsDiffer() throws {
        let digests = try AdapterCase.all.map { try $0.load().digest }
        #expect(Set(digests).count == digests.count)
    }
}
