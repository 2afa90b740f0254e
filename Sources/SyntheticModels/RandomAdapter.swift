import Checkpoints

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A LoRA adapter with random weights on all linear layers of a random model, as PEFT saves it.
package struct RandomAdapter {
    package let shape: RandomModel.Shape
    package let rank: Int
    /// Tells adapters apart: it goes into their scale.
    package let number: Int

    package init(shape: RandomModel.Shape, rank: Int, number: Int) {
        self.shape = shape
        self.rank = rank
        self.number = number
    }

    /// Writes the adapter into a new folder inside `parent`; returns the folder.
    package func write(in parent: String) throws -> String {
        let folder = URL(filePath: parent).appending(path: "adapter-\(number)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(JSONValue.object(config).compactText.utf8).write(to: folder.appending(path: "adapter_config.json"))
        try SafetensorsWriter(tensors: tensors).write(to: folder.appending(path: "adapter_model.safetensors").path)
        return folder.path
    }

    private var config: JSONObject {
        [
            "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": .int(rank),
            "lora_alpha": .double(Double(rank) * (1 + Double(number) / 1024)), "bias": "none",
            "target_modules": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
        ]
    }

    private var tensors: [SafetensorsWriter.Tensor] {
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
