import Checkpoints
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

@Suite struct TensorStoreTests {
    private static func file(_ names: String...) -> [UInt8] {
        let entries = names.enumerated().map { position, name in
            #""\#(name)":{"dtype":"F32","shape":[2],"data_offsets":[\#(position * 8),\#(position * 8 + 8)]}"#
        }
        return safetensors("{" + entries.joined(separator: ",") + "}", dataCount: names.count * 8)
    }

    private static func index(_ map: [(String, String)]) -> String {
        JSONValue.object(["weight_map": .object(JSONObject(map.map { ($0.0, .string($0.1)) }))]).compactText
    }

    // MARK: Files of the reference libraries

    @Test func readsEveryDTypeAsTheReferenceWroteIt() throws {
        let store = try TensorStore(file: Fixtures.folder + "/dtypes.safetensors")
        let expected = try #require(try Fixtures.json("dtypes.json").object)
        #expect(Set(store.names) == Set(expected.keys))
        for (name, value) in expected {
            let view = try store.tensor(name)
            #expect(view.dtype.rawValue == value["dtype"]?.string)
            #expect(view.shape.map { JSONValue.int($0) } == value["shape"]?.array)
            #expect(Array(view.bytes) == (try Fixtures.bytes(hex: value["bytes"]?.string ?? "?")), "\(name)")
            #expect(Int(bitPattern: view.bytes.baseAddress) % view.dtype.alignment == 0)
        }
        #expect(store.files[0].metadata == ["format": "pt", "note": "every dtype"])
    }

    @Test func readsShardsAsTheReferenceWroteThem() throws {
        let store = try TensorStore(folder: Fixtures.folder + "/sharded")
        let expected = try #require(try Fixtures.json("sharded.json").object)
        #expect(store.files.count > 1)
        #expect(store.names.count == expected.count)
        for (name, value) in expected {
            let shape = try #require(value["shape"]?.array).compactMap(\.int)
            let view = try store.tensor(name, shape: shape, dtypes: [.bfloat16])
            #expect(Array(view.bytes) == (try Fixtures.bytes(hex: value["bytes"]?.string ?? "?")), "\(name)")
            store.release(name)
            #expect(Array(view.bytes) == (try Fixtures.bytes(hex: value["bytes"]?.string ?? "?")), "\(name)")
        }
    }

    @Test func savedModelsFitTheirConfigurations() throws {
        let folder = Fixtures.folder + "/sharded"
        let config = try ModelConfig(folder: folder, supported: ["llama"])
        let store = try TensorStore(folder: folder)
        #expect(config.dtype == .bfloat16 && config.headDimension == 4 && config.architectures == ["LlamaForCausalLM"])
        let (hidden, inner) = (config.hiddenSize, config.intermediateSize)
        _ = try store.tensor("lm_head.weight", shape: [config.vocabularySize, hidden])
        for layer in 0..<config.layerCount {
            let prefix = "model.layers.\(layer)."
            let rows = config.keyValueHeadCount * config.headDimension
            _ = try store.tensor(prefix + "self_attn.k_proj.weight", shape: [rows, hidden])
            _ = try store.tensor(prefix + "mlp.down_proj.weight", shape: [hidden, inner])
        }
    }

    @Test(.enabled(if: ProcessInfo.processInfo.environment["MARTLET_GOLDEN"] != nil))
    func readsTheGoldenModels() throws {
        let root = try #require(ProcessInfo.processInfo.environment["MARTLET_GOLDEN"]) + "/models"
        for model in ["llama", "mistral", "qwen2"] {
            let config = try ModelConfig(folder: root + "/" + model)
            let store = try TensorStore(folder: root + "/" + model)
            let shape = [config.vocabularySize, config.hiddenSize]
            #expect(try store.tensor("model.embed_tokens.weight", shape: shape).dtype == config.dtype)
        }
        #expect(try ModelConfig(folder: root + "/mistral").slidingWindow(layer: 1) == 16)
        #expect(message { try ModelConfig(folder: root + "/bloom", supported: ["llama"]) }?.contains("'bloom'") == true)
    }

    // MARK: Asking for tensors

    @Test func wrongRequestsNameTensorExpectedAndFound() throws {
        let folder = try TemporaryFolder()
        try folder.write("model.safetensors", Self.file("model.norm.weight"))
        let store = try TensorStore(folder: folder.path)
        #expect(store.contains("model.norm.weight"))
        #expect(store.byteCount == 8)
        let missing = try #require(message { try store.tensor("norm.weight") })
        #expect(missing.contains("'norm.weight'") && missing.contains("closest is 'model.norm.weight'"))
        let shape = try #require(message { try store.tensor("model.norm.weight", shape: [3]) })
        #expect(shape.contains("model.safetensors") && shape.contains("expected shape [3], found [2]"))
        let dtype = try #require(message { try store.tensor("model.norm.weight", shape: [2], dtypes: [.bfloat16]) })
        #expect(dtype.contains("expected dtype BF16, found F32"))
    }

    @Test func misalignedTensorsAreCopied() throws {
        let header =
            #"{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"F32","shape":[2],"data_offsets":[3,11]}}"#
        let folder = try TemporaryFolder()
        let store = try TensorStore(file: try folder.write("odd.safetensors", safetensors(header, dataCount: 11)))
        let view = try store.tensor("b")
        #expect(Int(bitPattern: view.bytes.baseAddress) % 4 == 0)
        #expect(Array(view.bytes) == [3, 4, 5, 6, 7, 8, 9, 10])
        #expect(try store.tensor("b").bytes.baseAddress == view.bytes.baseAddress)
        store.release("b")
        #expect(Array(try store.tensor("b").bytes) == [3, 4, 5, 6, 7, 8, 9, 10])
    }

    // MARK: Folders

    @Test func singleFileGoesBeforeIndex() throws {
        let folder = try TemporaryFolder()
        try folder.write("model.safetensors", Self.file("a"))
        try folder.write("model.safetensors.index.json", "not even JSON")
        #expect(try TensorStore(folder: folder.path).names == ["a"])
    }

    @Test func shardsMayHoldTensorsThatTheIndexOmits() throws {
        let folder = try TemporaryFolder()
        try folder.write("x.safetensors", Self.file("a", "b"))
        try folder.write("model.safetensors.index.json", Self.index([("a", "x.safetensors")]))
        #expect(try TensorStore(folder: folder.path).names == ["a", "b"])
    }

    @Test func missingShardsAreNamed() throws {
        let folder = try TemporaryFolder()
        try folder.write("x.safetensors", Self.file("a"))
        try folder.write(
            "model.safetensors.index.json",
            Self.index([("a", "x.safetensors"), ("b", "y.safetensors"), ("c", "z.safetensors")]))
        let text = try #require(message { try TensorStore(folder: folder.path) })
        #expect(text.contains("2 of 3 files") && text.contains("y.safetensors, z.safetensors"))
    }

    @Test func indexThatDoesNotFitTheShardsIsRefused() throws {
        let folder = try TemporaryFolder()
        try folder.write("x.safetensors", Self.file("a"))
        try folder.write("y.safetensors", Self.file("b"))
        let index = "model.safetensors.index.json"
        try folder.write(index, Self.index([("a", "x.safetensors"), ("c", "y.safetensors")]))
        #expect(message { try TensorStore(folder: folder.path) }?.contains("'c'") == true)
        try folder.write(index, Self.index([("a", "y.safetensors"), ("b", "x.safetensors")]))
        let text = try #require(message { try TensorStore(folder: folder.path) })
        #expect(text.contains("places it in y.safetensors") && text.contains("x.safetensors does"))
        try folder.write("y.safetensors", Self.file("a", "b"))
        #expect(message { try TensorStore(folder: folder.path) }?.contains("is in another file too") == true)
    }

    @Test(arguments: [
        "../x.safetensors", "/etc/x.safetensors", "a/x.safetensors", "..\\x.safetensors", "..", "", ".x.safetensors",
        "x.bin", "x\u{0}.safetensors", String(repeating: "x", count: 300) + ".safetensors",
    ])
    func indexCannotLeaveItsFolder(_ name: String) throws {
        let folder = try TemporaryFolder()
        try folder.write("inner/model.safetensors.index.json", Self.index([("a", name)]))
        try folder.write("x.safetensors", Self.file("a"))
        #expect(message { try TensorStore(folder: folder.path + "/inner") }?.contains("in the same folder") == true)
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"weight_map":{}}"#, #"{"weight_map":[]}"#, #"{"weight_map":{"a":1}}"#,
        "{\"weight_map\":null}",
    ])
    func malformedIndexIsRefused(_ text: String) throws {
        let folder = try TemporaryFolder()
        try folder.write("model.safetensors.index.json", text)
        #expect(message { try TensorStore(folder: folder.path) }?.contains("model.safetensors.index.json") == true)
    }

    @Test func otherFormatsAreRefusedWithAdvice() throws {
        let folder = try TemporaryFolder()
        #expect(message { try TensorStore(folder: folder.path) }?.contains("neither model.safetensors nor") == true)
        try folder.write("consolidated.safetensors", Self.file("a"))
        #expect(message { try TensorStore(folder: folder.path) }?.contains("only 'consolidated.safetensors'") == true)
        try folder.write("model.gguf", [1])
        #expect(message { try TensorStore(folder: folder.path) }?.contains("GGUF") == true)
        try folder.write("pytorch_model.bin", [1])
        let pickle = try #require(message { try TensorStore(folder: folder.path) })
        #expect(pickle.contains("pickle") && pickle.contains("save_pretrained"))
        #expect(message { try TensorStore(folder: folder.path + "/none") }?.contains("not a folder") == true)
    }

    @Test func onlyRegularFilesAreMapped() throws {
        let folder = try TemporaryFolder()
        #expect(message { try MappedFile(path: folder.path) }?.contains("not a regular file") == true)
        #expect(message { try MappedFile(path: folder.path + "/none") }?.contains("cannot be opened") == true)
        #expect(mkfifo(folder.path + "/pipe", 0o600) == 0)
        #expect(message { try MappedFile(path: folder.path + "/pipe") }?.contains("not a regular file") == true)
        #expect(try MappedFile(path: try folder.write("empty", [])).bytes.isEmpty)
    }

    @Test func releasedPagesAreReadAgain() throws {
        let folder = try TemporaryFolder()
        let content = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        let file = try MappedFile(path: try folder.write("data", content))
        file.prefetch(10..<90_000)
        #expect(file.bytes.elementsEqual(content))
        for range in [0..<100_000, 1..<99_999, 5..<6, 50_000..<50_000, 90_000..<1_000_000] {
            file.release(range)
            #expect(file.bytes.elementsEqual(content))
        }
    }
}
