import Checkpoints
import Compute
import Models
import Testing

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A checkpoint that does not fit together is refused with the name of what is wrong.
@Suite struct LoadingErrorTests {
    /// Loads the fixture `name` with fields of its configuration replaced; returns the error's text.
    private static func refusal(_ name: String, _ changes: [(String, JSONValue)]) throws -> String {
        let files = FileManager.default
        let source = try Fixture(name).folder
        let folder = files.temporaryDirectory.path + "/martlet-models-\(UUID().uuidString)"
        try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? files.removeItem(atPath: folder) }
        try files.copyItem(atPath: source + "/model.safetensors", toPath: folder + "/model.safetensors")
        let text = String(decoding: files.contents(atPath: source + "/config.json") ?? Data(), as: UTF8.self)
        var config = try JSONValue(parsing: text).object ?? [:]
        for (key, value) in changes { config[key] = value }
        var bytes: [UInt8] = []
        JSONWriter.append(.object(config), to: &bytes)
        #expect(files.createFile(atPath: folder + "/config.json", contents: Data(bytes)))
        do {
            _ = try loadModel(folder: folder, dtype: .auto, pool: WorkerPool(workerCount: 1))
            return "loaded"
        } catch {
            return "\(error)"
        }
    }

    @Test(arguments: [
        ("gqa", "model_type", JSONValue.string("mamba"), ["model_type", "mamba", "llama"]),
        ("gqa", "hidden_act", .string("mish"), ["hidden_act", "mish", "silu"]),
        ("gqa", "head_dim", .int(600), ["head_dim", "600", "512"]),
        ("gqa", "intermediate_size", .int(64), ["model.layers.0.mlp.gate_proj.weight", "[64, 32]", "[48, 32]"]),
        ("gqa", "vocab_size", .int(130), ["lm_head.weight", "[130, 32]", "[131, 32]"]),
        ("gqa", "num_hidden_layers", .int(3), ["model.layers.2.", "is not there"]),
        ("gqa", "num_hidden_layers", .int(1), ["model.layers.1.", "does not belong"]),
        ("gqa", "attention_bias", .bool(true), ["q_proj.bias", "is not there"]),
        ("attention-bias", "attention_bias", .bool(false), ["proj.bias", "does not belong"]),
        ("mqa-tied", "tie_word_embeddings", .bool(false), ["lm_head.weight", "is not there"]),
        ("gqa", "model_type", .string("mamba"), ["bloom, llama, mistral, qwen2"]),
        ("gqa", "model_type", .string("qwen2"), ["q_proj.bias", "is not there"]),
        ("qwen2", "model_type", .string("mistral"), ["proj.bias", "does not belong"]),
        ("qwen2", "rope_parameters", .object(["rope_type": "mrope"]), ["rope_type", "mrope"]),
        (
            "qwen2", "layer_types", .array(["chunked_attention", "full_attention", "full_attention"]),
            ["layer_types", "chunked_attention"]
        ),
        (
            "mistral", "layer_types", .array(["sliding_attention", "full_attention"]),
            ["layer_types", "full_attention"]
        ),
        (
            "bloom", "apply_residual_connection_post_layernorm", .bool(true),
            ["apply_residual_connection_post_layernorm"]
        ),
        ("bloom", "n_head", .int(4), ["hidden_size", "30", "4"]),
        ("bloom", "num_key_value_heads", .int(1), ["num_key_value_heads", "is 1", "5 heads"]),
        ("bloom", "head_dim", .int(4), ["query_key_value", "[60, 30]", "[90, 30]"]),
        ("bloom", "n_layer", .int(1), ["transformer.h.1.", "does not belong"]),
    ])
    func mismatchesAreNamed(fixture: String, field: String, value: JSONValue, words: [String]) throws {
        let text = try Self.refusal(fixture, [(field, value)])
        for word in words { #expect(text.contains(word), "\(word) in: \(text)") }
    }

    @Test(arguments: [100.0, 200.0])
    func oneRotaryEmbeddingForAllLayers(theta: Double) throws {
        let text = try Self.refusal(
            "qwen2",
            [
                ("layer_types", .array(["full_attention", "full_attention", "sliding_attention"])),
                (
                    "rope_parameters",
                    .object([
                        "full_attention": ["rope_theta": 100], "sliding_attention": ["rope_theta": .double(theta)],
                    ])
                ),
            ])
        #expect(theta == 100 ? text == "loaded" : text.contains("rope_parameters"), "\(text)")
    }

    /// Some exports store a tied head a second time.
    @Test func aTiedHeadMayBeStoredTwice() throws {
        #expect(try Self.refusal("gqa", [("tie_word_embeddings", .bool(true))]) == "loaded")
    }

    @Test func progressRisesToOne() throws {
        let seen = Progress()
        _ = try loadModel(folder: Fixture("gqa").folder, dtype: .auto, pool: WorkerPool(workerCount: 2)) {
            seen.add($0)
        }
        #expect(seen.values.last == 1)
        #expect(zip(seen.values, seen.values.dropFirst()).allSatisfy { $0 <= $1 })
    }

    @Test func aRunnerWithoutCacheSaysSo() throws {
        let runner = try Fixture("gqa").runner()
        let batch = ForwardBatch(
            tokens: [1], positions: [0],
            sequences: [SequenceSlice(tokenStart: 0, tokenCount: 1, contextLength: 1, blockTableStart: 0)],
            blockTables: [0], logitRows: [0])
        var logits = [Float](repeating: 0, count: 131)
        #expect(throws: ComputeError.self) { try runner.execute(batch, logits: &logits) }
        #expect(throws: ComputeError.self) { try runner.allocateCache(blocks: 4, blockSize: 12, dtype: .int8) }
        #expect(throws: ComputeError.self) { try runner.allocateCache(blocks: 1 << 60, blockSize: 16, dtype: .int8) }
    }

    private final class Progress: @unchecked Sendable {
        private(set) var values: [Double] = []
        func add(_ value: Double) { values.append(value) }
    }
}
