import Checkpoints
import Compute
import Models

/// A random checkpoint of `Tools/random-models` with what transformers computes for it.
struct Fixture {
    struct Row {
        let prompt: Int
        let position: Int
        let logits: [Float]
    }

    let name: String
    let prompts: [[Int32]]
    let rows: [Row]

    static let names = [
        "mha", "gqa", "mqa-tied", "head-dim", "odd-sizes", "attention-bias", "mlp-bias", "gelu-tanh", "old-spelling",
        "rope-linear", "rope-dynamic", "rope-llama3", "rope-yarn", "rope-yarn-mscale", "rope-longrope-short",
        "rope-longrope-long", "bfloat16", "float16", "mistral", "qwen2", "qwen2-tied", "bloom", "bloom-old",
    ]

    var folder: String { Folders.fixtures + "/" + name }

    init(_ name: String) throws {
        self.name = name
        let store = try TensorStore(file: Folders.fixtures + "/\(name)/expected.safetensors")
        func values<T: BitwiseCopyable>(_ tensor: String, _ type: T.Type) throws -> (shape: [Int], values: [T]) {
            let view = try store.tensor(tensor)
            return (view.shape, Array(view.bytes.bindMemory(to: type)))
        }
        let tokens = try values("tokens", Int32.self)
        let lengths = try values("lengths", Int32.self).values
        let width = tokens.shape[1]
        prompts = lengths.enumerated().map { Array(tokens.values[$0 * width..<$0 * width + Int($1)]) }
        let places = try values("rows", Int32.self).values
        let logits = try values("logits", Float.self)
        let vocabulary = logits.shape[1]
        rows = (0..<logits.shape[0]).map { row in
            Row(
                prompt: Int(places[2 * row]), position: Int(places[2 * row + 1]),
                logits: Array(logits.values[row * vocabulary..<(row + 1) * vocabulary]))
        }
    }

    /// Logits of `rows` with rounded weights, as `Tools/random-models/quantized.py` computes them.
    func logits(_ quantization: Quantization) throws -> [[Float]] {
        let view = try TensorStore(file: folder + "/expected-\(quantization).safetensors").tensor("logits")
        let values = Array(view.bytes.bindMemory(to: Float.self))
        let width = view.shape[1]
        return (0..<view.shape[0]).map { Array(values[$0 * width..<($0 + 1) * width]) }
    }

    func runner(
        _ dtype: ModelDType = .float32, _ quantization: Quantization = .none, compressesWeights: Bool = true,
        kernels: KernelSet = .default, workers: Int = 2
    ) throws -> any ModelRunner {
        try loadModel(
            folder: folder, dtype: dtype, quantization: quantization, compressesWeights: compressesWeights,
            pool: WorkerPool(workerCount: workers), kernels: kernels)
    }
}

/// Greatest difference of two rows, relative to the greatest magnitude in the second.
func relativeDifference(_ found: [Float], _ expected: [Float]) -> Float {
    guard found.count == expected.count else { return .infinity }
    let scale = expected.reduce(0) { max($0, abs($1)) }
    return zip(found, expected).reduce(0) { max($0, abs($1.0 - $1.1)) } / scale
}
