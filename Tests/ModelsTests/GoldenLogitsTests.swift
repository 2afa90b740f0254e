import Adapters
import Checkpoints
import Compute
import Models
import Testing

/// Every architecture and every adapter that changes weights, against an independent golden set: the logits of all
/// positions of a prompt.
@Suite(.enabled(if: Folders.golden != nil))
struct GoldenLogitsTests {
    private let golden = Folders.golden ?? ""

    /// Kinds that put something before the prompt, and what is refused by its configuration.
    private static let others = ["prompt_tuning", "prefix_tuning", "p_tuning", "cartridge", "pissa"]

    @Test(arguments: [("llama", 97), ("mistral", 29), ("qwen2", 43), ("bloom", 33)])
    func logitsAreThoseOfPEFT(architecture: String, count: Int) throws {
        let runner = try loadModel(
            folder: "\(golden)/models/\(architecture)", dtype: .float32, pool: WorkerPool(workerCount: 2))
        let harness = try Harness(runner, blocks: 32, blockSize: 16)
        let expected = try TensorStore(file: "\(golden)/golden/\(architecture).safetensors")
        var packed: [String: any PackedAdapter] = [:]
        var checked = 0
        for test in try Folders.json("\(golden)/golden/\(architecture).json")["cases"]?.array ?? [] {
            let names = test["adapter"]?.array?.compactMap(\.string) ?? [test["adapter"]?.string].compactMap(\.self)
            guard let id = test["id"]?.string,
                !names.contains(where: { name in Self.others.contains { name.contains($0) } })
            else { continue }
            let weights = test["weights"]?.array?.compactMap(\.double) ?? []
            var terms: [AdapterTerm] = []
            for (index, name) in names.enumerated() {
                if packed[name] == nil {
                    let path = "\(golden)/adapters/\(architecture)/\(name)"
                    packed[name] = try runner.pack(AdapterLoader.load(folder: path, catalog: runner.catalog))
                }
                let adapter = try #require(packed[name])
                terms.append(AdapterTerm(adapter, scale: Float(index < weights.count ? weights[index] : 1)))
            }
            let prompt = test["prompt_ids"]?.tokens ?? []
            let isActivated = names.contains { $0.hasPrefix("alora") }
            let start = isActivated ? test["alora_start"]?.int ?? prompt.count : 0
            let found = try logits(prompt, terms, from: start, harness)
            #expect(try difference(found, expected.tensor(id)) < 2e-3, "\(architecture), \(id)")
            checked += 1
        }
        #expect(checked == count)
    }

    /// Logits of a prompt with adapters from one of its positions on.
    private func logits(
        _ prompt: [Int32], _ terms: [AdapterTerm], from start: Int, _ harness: Harness
    ) throws -> [[Float]] {
        var sequences = [Harness.Sequence(tokens: prompt)]
        var logits = start > 0 ? try harness.step(&sequences, counts: [start])[0] : []
        sequences[0].adapters = terms
        if start < prompt.count { logits += try harness.step(&sequences, counts: [prompt.count - start])[0] }
        harness.release(sequences[0])
        return logits
    }

    private func difference(_ found: [[Float]], _ expected: TensorView) -> Float {
        guard expected.shape[0] == found.count else { return .infinity }
        let values = Array(expected.bytes.bindMemory(to: Float.self))
        let width = expected.shape[1]
        var greatest: Float = 0
        for (row, logits) in found.enumerated() {
            guard logits.count >= width else { return .infinity }
            for column in 0..<width { greatest = max(greatest, abs(logits[column] - values[row * width + column])) }
        }
        return greatest
    }
}
