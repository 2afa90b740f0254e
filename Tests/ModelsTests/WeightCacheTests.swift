import Checkpoints
import Compute
import Foundation
import Models
import Synchronization
import Testing

/// Packed weights from a file are the weights of the checkpoint, or are not used.
@Suite struct WeightCacheTests {
    private final class Notes: Sendable {
        let texts = Mutex<[String]>([])
    }

    /// A copy of a fixture's checkpoint and a folder for its weights, removed at the end.
    private final class Place {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("weights-\(UUID())").path
        let fixture: Fixture
        var model: String { root + "/model" }
        var cache: String { root + "/cache" }

        init(_ name: String) throws {
            fixture = try Fixture(name)
            try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: fixture.folder, toPath: model)
        }

        deinit { try? FileManager.default.removeItem(atPath: root) }

        var files: [String] {
            get throws {
                guard FileManager.default.fileExists(atPath: cache) else { return [] }
                return try FileManager.default.contentsOfDirectory(atPath: cache).map { cache + "/" + $0 }
            }
        }

        /// Logits of all prompts, and what was noted while loading.
        func load(
            cached: Bool = true, _ dtype: ModelDType = .bfloat16, _ quantization: Quantization = .none
        ) throws -> (logits: [[[Float]]], notes: [String]) {
            let notes = Notes()
            let runner = try loadModel(
                folder: model, dtype: dtype, quantization: quantization, pool: WorkerPool(workerCount: 2),
                weightCache: cached ? cache : nil, note: { text in notes.texts.withLock { $0.append(text) } })
            let harness = try Harness(runner, blocks: 64, blockSize: 16)
            return (try fixture.prompts.map { try harness.logits($0) }, notes.texts.withLock { $0 })
        }

        func bytes() throws -> Data { try Data(contentsOf: URL(fileURLWithPath: try #require(files.first))) }

        func replace(_ bytes: Data) throws {
            let file = try #require(files.first)
            let mode = [FileAttributeKey.posixPermissions: 0o600]
            try FileManager.default.removeItem(atPath: file)
            #expect(FileManager.default.createFile(atPath: file, contents: bytes, attributes: mode))
        }
    }

    @Test(
        arguments: ["gqa", "mqa-tied", "qwen2", "bloom"],
        [(ModelDType.float32, Quantization.none), (.bfloat16, .none), (.float32, .int8), (.float32, .int4)])
    func sameBits(name: String, weights: (ModelDType, Quantization)) throws {
        let place = try Place(name)
        let plain = try place.load(cached: false, weights.0, weights.1)
        #expect(try place.files.isEmpty)
        let first = try place.load(weights.0, weights.1)
        let written = try place.bytes()
        let second = try place.load(weights.0, weights.1)
        #expect(first.logits == plain.logits)
        #expect(second.logits == plain.logits)
        #expect(first.notes.isEmpty && second.notes.isEmpty)
        #expect(try place.files.count == 1)
        #expect(try place.bytes() == written)
    }

    /// Wherever a byte is wrong: the weights are those of the checkpoint, and the file is whole again.
    @Test func damagedFiles() throws {
        let place = try Place("gqa")
        let plain = try place.load(cached: false)
        _ = try place.load()
        let whole = try place.bytes()
        // Words of the header, its table and hashes, and bytes of all sections; padding between them is not read.
        let places = Array(stride(from: 0, to: 80, by: 8)) + stride(from: 81, to: 400, by: 40)
        for at in places + [whole.count - 1, whole.count / 2] {
            var bytes = whole
            bytes[at] ^= 0x10
            try place.replace(bytes)
            let loaded = try place.load()
            #expect(loaded.logits == plain.logits, "byte \(at)")
            #expect(try place.bytes() == whole || loaded.notes.isEmpty, "byte \(at)")
            if at < 400 { #expect(loaded.notes.count == 1, "byte \(at)") }
        }
    }

    @Test(arguments: [0, 1, 79, 200, 4096, -1, -4096])
    func truncatedFiles(length: Int) throws {
        let place = try Place("gqa")
        let plain = try place.load(cached: false)
        _ = try place.load()
        let whole = try place.bytes()
        try place.replace(whole.prefix(length < 0 ? whole.count + length : length))
        let loaded = try place.load()
        #expect(loaded.logits == plain.logits)
        #expect(loaded.notes.count == 1)
        #expect(try place.bytes() == whole)
    }

    /// A file of other weights under this one's name.
    @Test func foreignFiles() throws {
        let place = try Place("gqa")
        let plain = try place.load(cached: false)
        _ = try place.load()
        let whole = try place.bytes()
        let other = try Place("head-dim")
        _ = try other.load()
        for bytes in [
            try other.bytes(),
            Data("not weights, but long enough for a header of ten words, is it not? It is.".utf8) + whole,
        ] {
            try place.replace(bytes)
            let loaded = try place.load()
            #expect(loaded.logits == plain.logits)
            #expect(loaded.notes.count == 1)
            #expect(try place.bytes() == whole)
        }
    }

    /// A file that others can write to is not trusted.
    @Test func filesOfOthers() throws {
        let place = try Place("gqa")
        let plain = try place.load(cached: false)
        _ = try place.load()
        try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: try #require(place.files.first))
        let loaded = try place.load()
        #expect(loaded.logits == plain.logits)
        #expect(loaded.notes.count == 1)
        #expect(try place.load().notes.isEmpty)
    }

    /// Changed weights in files of the same names and sizes.
    @Test func staleFiles() throws {
        let place = try Place("gqa")
        let before = try place.load()
        let file = place.model + "/model.safetensors"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
        for at in bytes.count - 2000..<bytes.count { bytes[at] ^= 1 }
        try bytes.write(to: URL(fileURLWithPath: file))
        let fresh = try place.load(cached: false)
        let after = try place.load()
        #expect(after.logits == fresh.logits)
        #expect(after.logits != before.logits)
        #expect(try place.files.count == 2)
    }

    /// A folder that cannot be: the model loads all the same.
    @Test func impossibleFolder() throws {
        let place = try Place("gqa")
        let plain = try place.load(cached: false)
        #expect(FileManager.default.createFile(atPath: place.cache, contents: nil))
        let notes = Notes()
        let runner = try loadModel(
            folder: place.model, dtype: .bfloat16, pool: WorkerPool(workerCount: 2), weightCache: place.cache,
            note: { text in notes.texts.withLock { $0.append(text) } })
        let harness = try Harness(runner, blocks: 64, blockSize: 16)
        #expect(try place.fixture.prompts.map { try harness.logits($0) } == plain.logits)
        #expect(notes.texts.withLock { $0.count } == 2)
    }
}
