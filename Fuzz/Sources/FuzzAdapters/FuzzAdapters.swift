import Adapters
import Checkpoints

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Two bytes with the length of `adapter_config.json`, that file, and the rest as `adapter_model.safetensors`; what is
/// accepted must be in the shapes of the model.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count > 2 else { return 0 }
    let length = min(Int(start[0]) | Int(start[1]) << 8, count - 2)
    let rest = UnsafeBufferPointer(start: start + 2, count: count - 2)
    write(rest[..<length], "adapter_config.json")
    write(rest[length...], "adapter_model.safetensors")
    guard let adapter = try? AdapterLoader.load(folder: folder, catalog: catalog) else { return 0 }
    for delta in adapter.effects.deltas {
        precondition(delta.scale.isFinite && delta.rank > 0)
        precondition(delta.down.shape[0] == delta.rank && delta.down.bytes.count > 0 && delta.up.bytes.count > 0)
    }
    precondition(adapter.effects.virtualTokenCount >= 0 && adapter.vocabularySize >= catalog.vocabularySize)
    precondition(adapter.currentDigest() == adapter.digest)
    return 0
}

private let folder: String = {
    let path =
        FileManager.default.temporaryDirectory.path + "/martlet-fuzz-\(ProcessInfo.processInfo.processIdentifier)"
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
}()

private func write(_ bytes: Slice<UnsafeBufferPointer<UInt8>>, _ name: String) {
    try? Data(bytes).write(to: URL(filePath: folder + "/" + name), options: .atomic)
}

/// The sizes of the tiny models of `Tools/adapters`, from which the seeds are.
private let catalog: ModelCatalog = {
    var modules = [ModelCatalog.Module(name: "model.embed_tokens", kind: .embedding, inputs: 32, outputs: 16)]
    for layer in 0..<2 {
        for (name, inputs, outputs) in [
            ("self_attn.q_proj", 16, 16), ("self_attn.k_proj", 16, 8), ("self_attn.v_proj", 16, 8),
            ("self_attn.o_proj", 16, 16), ("mlp.gate_proj", 16, 24), ("mlp.up_proj", 16, 24), ("mlp.down_proj", 24, 16),
        ] {
            modules.append(
                .init(
                    name: "model.layers.\(layer).\(name)", kind: .linear, inputs: inputs, outputs: outputs,
                    layer: layer, hasBias: name.hasPrefix("self")))
        }
        for name in ["input_layernorm", "post_attention_layernorm"] {
            modules.append(
                .init(name: "model.layers.\(layer).\(name)", kind: .norm, inputs: 16, outputs: 16, layer: layer))
        }
    }
    modules.append(.init(name: "model.norm", kind: .norm, inputs: 16, outputs: 16))
    modules.append(.init(name: "lm_head", kind: .linear, inputs: 16, outputs: 32))
    return ModelCatalog(
        modules: modules, embedding: "model.embed_tokens", head: "lm_head", tiesHead: false, vocabularySize: 32,
        hiddenSize: 16, keyValueShapes: Array(repeating: .init(heads: 2, dimension: 4), count: 2))
}()
