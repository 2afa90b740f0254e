import Checkpoints
import DemoModel
import Testing

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

@Suite struct DemoModelFolderTests {
    @Test func isFoundBesideTheTestRunner() throws {
        let demo = try DemoModelFolder.locate()
        for file in [demo.examples, demo.prompts, demo.adapters + "/sql/adapter_config.json"] {
            #expect(FileManager.default.fileExists(atPath: file))
        }
    }

    @Test func baseModelIsReadWhole() throws {
        let base = try DemoModelFolder.locate().base
        let config = try ModelConfig(folder: base)
        let store = try TensorStore(folder: base)
        #expect(config.modelType == "llama")
        #expect(config.dtype == .bfloat16)
        let embedding = try store.tensor(
            "model.embed_tokens.weight", shape: [config.vocabularySize, config.hiddenSize], dtypes: [.bfloat16])
        #expect(embedding.bytes.count == config.vocabularySize * config.hiddenSize * 2)
        #expect(!store.contains("lm_head.weight") || !config.tiesWordEmbeddings)
        #expect(try TokenizerConfig(folder: base).chatTemplate?.contains("start_of_role") == true)
        #expect(try GenerationConfig(folder: base).endTokenIDs == [0])
    }

    @Test func missingFilesAreNamedWithThePlaces() throws {
        let error = #expect(throws: CheckpointError.self) {
            try DemoModelFolder.locate(environment: [:], program: "/nowhere/bin/martlet", arguments: [])
        }
        let text = try #require(error?.description)
        for part in ["/nowhere/bin/martlet_DemoModel.resources", "/nowhere/share/martlet/demo", "MARTLET_DEMO_MODEL"] {
            #expect(text.contains(part), "\(text)")
        }
    }

    @Test func variableGoesFirstAndItsFolderIsChecked() throws {
        let demo = try DemoModelFolder.locate()
        let found = try DemoModelFolder.locate(
            environment: ["MARTLET_DEMO_MODEL": demo.path], program: "/nowhere/martlet")
        #expect(found == demo)
        let error = #expect(throws: CheckpointError.self) {
            try DemoModelFolder.locate(environment: ["MARTLET_DEMO_MODEL": demo.adapters])
        }
        #expect(error?.description.contains("base/config.json") == true)
    }

    @Test(arguments: [
        "bin/martlet_DemoModel.resources", "bin/martlet_DemoModel.bundle", "share/martlet/demo",
        "tests/martlet_DemoModel.resources",
    ])
    func everyPlaceIsLookedAt(_ place: String) throws {
        let root = FileManager.default.temporaryDirectory.path + "/martlet-tests-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: root) }
        let base = root + "/" + place + "/base"
        try FileManager.default.createDirectory(atPath: base, withIntermediateDirectories: true)
        func locate() throws -> DemoModelFolder {
            try DemoModelFolder.locate(
                environment: [:], program: root + "/bin/martlet",
                arguments: ["runner", root + "/tests/martletPackageTests.xctest/Contents"])
        }
        for name in ["config.json", "model.safetensors"] { try Data().write(to: URL(filePath: base + "/" + name)) }
        let error = #expect(throws: CheckpointError.self) { try locate() }
        #expect(error?.description.contains("lacks base/tokenizer.json") == true)
        try Data().write(to: URL(filePath: base + "/tokenizer.json"))
        #expect(try locate().path == root + "/" + place)
    }
}
