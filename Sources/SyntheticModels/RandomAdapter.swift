import Checkpoints

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// An adapter with random weights for a random model, as PEFT saves it.
package struct RandomAdapter {
    package enum Kind: Sendable {
        /// Low-rank changes of all linear layers.
        case lora(rank: Int)
        /// The same from the invocation on.
        case activated(rank: Int, invocation: [Int32])
        /// Keys and values of all layers before the prompt.
        case prefix(tokens: Int)
        /// Embeddings before the prompt.
        case softPrompt(tokens: Int)
    }

    package let shape: RandomModel.Shape
    package let kind: Kind
    /// Tells adapters of one kind apart: each number is another content.
    package let number: Int

    package init(shape: RandomModel.Shape, kind: Kind, number: Int) {
        self.shape = shape
        self.kind = kind
        self.number = number
    }

    /// A LoRA adapter.
    package init(shape: RandomModel.Shape, rank: Int, number: Int) {
        self.init(shape: shape, kind: .lora(rank: rank), number: number)
    }

    /// Bytes of its tensors.
    package var byteCount: Int { tensors.reduce(0) { $0 + $1.byteCount } }

    /// Writes the adapter into a new folder inside `parent`; returns the folder.
    package func write(in parent: String) throws -> String {
        let folder = URL(filePath: parent).appending(path: "\(name)-\(number)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(JSONValue.object(config).compactText.utf8).write(to: folder.appending(path: "adapter_config.json"))
        try SafetensorsWriter(tensors: tensors, start: number)
            .write(to: folder.appending(path: "adapter_model.safetensors").path)
        return folder.path
    }

    private var name: String {
        switch kind {
        case .lora: "adapter"
        case .activated: "activated"
        case .prefix: "prefix"
        case .softPrompt: "prompt"
        }
    }

    // MARK: Configuration

    private var config: JSONObject {
        switch kind {
        case .lora(let rank): return lowRankConfig(rank)
        case .activated(let rank, let invocation):
            var config = lowRankConfig(rank)
            config["alora_invocation_tokens"] = .array(invocation.map { .int(Int($0)) })
            return config
        case .prefix(let tokens):
            var config = promptConfig("PREFIX_TUNING", tokens, width: shape.keyValueHeads * shape.headDimension)
            config["prefix_projection"] = false
            return config
        case .softPrompt(let tokens): return promptConfig("PROMPT_TUNING", tokens, width: shape.hidden)
        }
    }

    private func lowRankConfig(_ rank: Int) -> JSONObject {
        [
            "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": .int(rank), "lora_alpha": .int(rank), "bias": "none",
            "target_modules": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
        ]
    }

    private func promptConfig(_ type: JSONValue, _ tokens: Int, width: Int) -> JSONObject {
        [
            "peft_type": type, "task_type": "CAUSAL_LM", "num_virtual_tokens": .int(tokens), "token_dim": .int(width),
            "num_transformer_submodules": 1, "num_attention_heads": .int(shape.keyValueHeads),
            "num_layers": .int(shape.layers),
        ]
    }

    // MARK: Tensors

    private var tensors: [SafetensorsWriter.Tensor] {
        switch kind {
        case .lora(let rank), .activated(let rank, _): lowRankTensors(rank)
        case .prefix(let tokens):
            [.init("prompt_embeddings", [tokens, shape.layers * 2 * shape.keyValueHeads * shape.headDimension])]
        case .softPrompt(let tokens): [.init("prompt_embeddings", [tokens, shape.hidden])]
        }
    }

    private func lowRankTensors(_ rank: Int) -> [SafetensorsWriter.Tensor] {
        let queries = shape.heads * shape.headDimension
        let keys = shape.keyValueHeads * shape.headDimension
        let modules = [
            ("self_attn.q_proj", shape.hidden, queries), ("self_attn.k_proj", shape.hidden, keys),
            ("self_attn.v_proj", shape.hidden, keys), ("self_attn.o_proj", queries, shape.hidden),
            ("mlp.gate_proj", shape.hidden, shape.intermediate), ("mlp.up_proj", shape.hidden, shape.intermediate),
            ("mlp.down_proj", shape.intermediate, shape.hidden),
        ]
        return (0..<shape.layers).flatMap { layer in
            modules.flatMap { module, inputs, outputs in
                let name = "base_model.model.model.layers.\(layer).\(module)"
                return [
                    SafetensorsWriter.Tensor(name + ".lora_A.weight", [rank, inputs]),
                    SafetensorsWriter.Tensor(name + ".lora_B.weight", [outputs, rank]),
                ]
            }
        }
    }
}
