import Adapters
import Checkpoints
import Models
import Testing

/// The golden folder, where `MARTLET_GOLDEN` names one.
@Suite(.enabled(if: Folders.golden != nil)) struct GoldenTests {
    private let golden = Folders.golden ?? ""

    private func catalog(_ architecture: String = "llama") throws -> ModelCatalog {
        try ModelRegistry.catalog(folder: golden + "/models/" + architecture)
    }

    @Test(arguments: [("llama", 43), ("mistral", 16), ("qwen2", 16), ("bloom", 18)])
    func everyKindLoads(architecture: String, count: Int) throws {
        let catalog = try catalog(architecture)
        let folder = "\(golden)/adapters/\(architecture)/"
        var digests: [AdapterDigest: String] = [:]
        for name in try Folders.names(in: folder) where name != "pissa" {
            let adapter = try AdapterLoader.load(folder: folder + name, catalog: catalog)
            #expect(adapter.effects.byteCount > 0, "\(name)")
            #expect(adapter.warnings.isEmpty, "\(name): \(adapter.warnings)")
            let other = digests.updateValue(name, forKey: adapter.digest)
            #expect(other == nil, "\(name) and \(other ?? "") have one digest")
        }
        #expect(digests.count == count)
    }

    @Test func manyLoad() throws {
        let catalog = try catalog()
        let names = try Folders.names(in: golden + "/adapters_many")
        #expect(names.count == 200)
        for name in names {
            let adapter = try AdapterLoader.load(folder: golden + "/adapters_many/" + name, catalog: catalog)
            #expect(!adapter.effects.deltas.isEmpty)
        }
    }

    /// What the message must name for each folder.
    private static let reasons = [
        "alpha_not_a_number": "field 'lora_alpha'",
        "config_missing": "adapter_config.json: is not there",
        "config_not_json": "adapter_config.json: ",
        "empty": "has no tensors",
        "header_lies": "header's length",
        "inf_weight": "is not a finite number",
        "layer_out_of_range": "the model has no module",
        "layer_replication": "field 'layer_replication'",
        "missing_lora_B": "lora_B.weight'",
        "nan_weight": "is not a finite number",
        "pickle_only": "pickle format",
        "pissa_unconverted": "field 'init_lora_weights'",
        "qalora": "field 'use_qalora'",
        "rank_config_mismatch": "expected shape [4, 64] from r",
        "seq_cls_task": "field 'task_type'",
        "truncated_file": "bytes",
        "unknown_module": "the model has no module",
        "unknown_peft_type": "'NOT_A_METHOD' is unknown",
        "weights_missing": "has no adapter_model.safetensors",
        "wrong_in_features": "expected shape",
    ]

    @Test func badOnesAreRefused() throws {
        let catalog = try catalog()
        let folder = golden + "/adapters_bad/llama"
        let names = try Folders.names(in: folder)
        #expect(Set(names) == Set(Self.reasons.keys))
        for name in names + ["../../adapters/llama/pissa"] {
            do {
                _ = try AdapterLoader.load(folder: folder + "/" + name, catalog: catalog)
                Issue.record("\(name) was not refused")
            } catch {
                let reason = Self.reasons[name] ?? "field 'init_lora_weights'"
                #expect("\(error)".contains(reason), "\(name): \(error)")
                #expect("\(error)".hasPrefix(folder), "\(name): \(error)")
            }
        }
    }

    @Test(arguments: ["llama", "mistral", "qwen2", "bloom"])
    func starts(architecture: String) throws {
        let catalog = try catalog(architecture)
        let cases = try Folders.json("\(golden)/golden/\(architecture).json")["cases"]?.array ?? []
        var count = 0
        for test in cases {
            guard let name = test["adapter"]?.string, name.hasPrefix("alora") else { continue }
            let adapter = try AdapterLoader.load(
                folder: "\(golden)/adapters/\(architecture)/\(name)", catalog: catalog)
            let prompt = (test["prompt_ids"]?.array ?? []).compactMap(\.int).map(Int32.init)
            #expect(
                adapter.activation.start(in: prompt) { _ in [] } == test["alora_start"]?.int, "\(test["id"] ?? nil)")
            count += 1
        }
        #expect(count >= 7)
    }
}
