import Checkpoints
import DemoModel

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A Llama checkpoint of a given shape with random weights: useless for text, right for speed.
package struct RandomModel {
    package let shape: Shape

    package init(shape: Shape) { self.shape = shape }

    /// The sizes of a Llama model with tied embeddings.
    package struct Shape: Equatable, Sendable {
        var name: String
        var hidden: Int
        var layers: Int
        var heads: Int
        var keyValueHeads: Int
        var headDimension: Int
        var intermediate: Int
        var vocabulary: Int

        package init(
            name: String, hidden: Int, layers: Int, heads: Int, keyValueHeads: Int, headDimension: Int = 64,
            intermediate: Int, vocabulary: Int
        ) {
            self.name = name
            self.hidden = hidden
            self.layers = layers
            self.heads = heads
            self.keyValueHeads = keyValueHeads
            self.headDimension = headDimension
            self.intermediate = intermediate
            self.vocabulary = vocabulary
        }

        /// Bytes of keys and values of one token, in the checkpoint's bfloat16.
        package var cacheBytesPerToken: Int { 4 * layers * keyValueHeads * headDimension }

        /// A few million parameters, to try things out.
        package static let tiny = Shape(
            name: "tiny", hidden: 256, layers: 4, heads: 4, keyValueHeads: 2, intermediate: 768, vocabulary: 4096)
        /// Llama-3.2-1B's.
        package static let oneBillion = Shape(
            name: "1b", hidden: 2048, layers: 16, heads: 32, keyValueHeads: 8, intermediate: 8192, vocabulary: 128_256)
        /// SmolLM2-135M's.
        package static let smol = Shape(
            name: "135m", hidden: 576, layers: 30, heads: 9, keyValueHeads: 3, intermediate: 1536, vocabulary: 49_152)
    }

    /// Writes the checkpoint in bfloat16, with the demo model's tokenizer, to a new folder; the caller removes it.
    package func write() throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "martlet-bench-\(shape.name)-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        do { try writeFiles(folder) } catch {
            try? FileManager.default.removeItem(at: folder)
            throw error
        }
        return folder.path
    }

    private func writeFiles(_ folder: URL) throws {
        try Data(JSONValue.object(config).compactText.utf8).write(to: folder.appending(path: "config.json"))
        let demo = URL(filePath: try DemoModelFolder.locate().base)
        for name in ["tokenizer.json", "tokenizer_config.json"] {
            try FileManager.default.copyItem(at: demo.appending(path: name), to: folder.appending(path: name))
        }
        try SafetensorsWriter(tensors: tensors).write(to: folder.appending(path: "model.safetensors").path)
    }

    private var config: JSONObject {
        [
            "architectures": ["LlamaForCausalLM"], "model_type": "llama", "dtype": "bfloat16", "hidden_act": "silu",
            "hidden_size": .int(shape.hidden), "intermediate_size": .int(shape.intermediate),
            "num_hidden_layers": .int(shape.layers), "num_attention_heads": .int(shape.heads),
            "num_key_value_heads": .int(shape.keyValueHeads), "head_dim": .int(shape.headDimension),
            "vocab_size": .int(shape.vocabulary), "max_position_embeddings": 131_072, "rms_norm_eps": 1e-5,
            "rope_theta": 500_000, "tie_word_embeddings": true,
        ]
    }

    private var tensors: [SafetensorsWriter.Tensor] {
        let queries = shape.heads * shape.headDimension
        let keys = shape.keyValueHeads * shape.headDimension
        var tensors = [
            SafetensorsWriter.Tensor("model.embed_tokens.weight", [shape.vocabulary, shape.hidden]),
            SafetensorsWriter.Tensor("model.norm.weight", [shape.hidden], isNorm: true),
        ]
        for layer in 0..<shape.layers {
            let prefix = "model.layers.\(layer)."
            tensors += [
                .init(prefix + "input_layernorm.weight", [shape.hidden], isNorm: true),
                .init(prefix + "post_attention_layernorm.weight", [shape.hidden], isNorm: true),
                .init(prefix + "self_attn.q_proj.weight", [queries, shape.hidden]),
                .init(prefix + "self_attn.k_proj.weight", [keys, shape.hidden]),
                .init(prefix + "self_attn.v_proj.weight", [keys, shape.hidden]),
                .init(prefix + "self_attn.o_proj.weight", [shape.hidden, queries]),
                .init(prefix + "mlp.gate_proj.weight", [shape.intermediate, shape.hidden]),
                .init(prefix + "mlp.up_proj.weight", [shape.intermediate, shape.hidden]),
                .init(prefix + "mlp.down_proj.weight", [shape.hidden, shape.intermediate]),
            ]
        }
        return tensors
    }
}
