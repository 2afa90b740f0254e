import Adapters
import Checkpoints
import Compute
import Models

/// A tiny model of `Tools/adapters` with its adapters, and the logits that PEFT computes with each.
struct AdapterFixtures {
    let model: String
    /// Names of the adapters that change the model's weights, sorted.
    let names: [String]
    private let logits: TensorStore
    static let vocabularySize = 32
    private static let folder = Folders.repository + "/Tests/AdaptersTests/Fixtures"

    init(_ model: String) throws {
        self.model = model
        let logits = try TensorStore(file: Self.folder + "/logits.safetensors")
        let cases = try Folders.json(Self.folder + "/cases.json").object ?? JSONObject()
        self.logits = logits
        names = cases.filter { $0.value["model"]?.string == model }.map(\.key)
            .filter { logits.names.contains($0) }.sorted()
    }

    func runner(
        _ dtype: ModelDType = .float32, _ quantization: Quantization = .none, kernels: KernelSet = .default,
        workers: Int = 2
    ) throws -> any ModelRunner {
        try loadModel(
            folder: Self.folder + "/models/" + model, dtype: dtype, quantization: quantization,
            pool: WorkerPool(workerCount: workers), kernels: kernels)
    }

    func pack(_ name: String, for runner: any ModelRunner) throws -> any PackedAdapter {
        try runner.pack(AdapterLoader.load(folder: Self.folder + "/adapters/" + name, catalog: runner.catalog))
    }

    /// The tokens; an adapter with added tokens gets one of them as the last.
    func prompt(vocabularySize: Int = Self.vocabularySize) throws -> [Int32] {
        var tokens = Array(try logits.tensor("prompt").bytes.bindMemory(to: Int32.self))
        if vocabularySize > Self.vocabularySize { tokens[tokens.count - 1] = Int32(Self.vocabularySize) + 1 }
        return tokens
    }

    /// Logits of all positions with an adapter, or of the model under its own name.
    func expected(_ name: String) throws -> [[Float]] {
        let view = try logits.tensor(name)
        let values = Array(view.bytes.bindMemory(to: Float.self))
        let width = view.shape[1]
        return (0..<view.shape[0]).map { Array(values[$0 * width..<($0 + 1) * width]) }
    }
}
