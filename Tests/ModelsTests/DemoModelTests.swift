import Checkpoints
import Compute
import Models
import Testing

/// The trained demo model must answer exactly as recorded from transformers.
@Suite struct DemoModelTests {
    struct Example {
        let id: String
        let prompt: [Int32]
        let expected: [Int32]
        /// Least distance of best and second-best logit over the answer.
        let margin: Double
    }

    static func baseExamples() throws -> [Example] {
        try Folders.jsonLines(Folders.demo + "/examples.jsonl").compactMap { line in
            guard line["adapter"]?.isNull ?? true, let id = line["id"]?.string, let prompt = line["prompt_ids"],
                let expected = line["expected_ids"], let margin = line["min_margin"]?.double
            else { return nil }
            return Example(id: id, prompt: prompt.tokens, expected: expected.tokens, margin: margin)
        }
    }

    struct Variant: CustomTestStringConvertible {
        let dtype: ModelDType
        var quantization = Quantization.none
        let cache: CacheDType
        /// Answers with less are not compared.
        let leastMargin: Double

        var testDescription: String { "\(dtype), \(quantization), cache \(cache)" }

        static let all = [
            Variant(dtype: .float32, cache: .float32, leastMargin: 0),
            Variant(dtype: .bfloat16, cache: .bfloat16, leastMargin: 0.25),
            Variant(dtype: .float32, cache: .int8, leastMargin: 0.25),
            Variant(dtype: .bfloat16, quantization: .int8, cache: .bfloat16, leastMargin: 0.5),
            Variant(dtype: .bfloat16, quantization: .int4, cache: .bfloat16, leastMargin: 4),
        ]
    }

    @Test(arguments: Variant.all)
    func greedyAnswersAreTheRecordedOnes(variant: Variant) throws {
        let examples = try Self.baseExamples()
        #expect(examples.count == 520)
        let pool = WorkerPool(workerCount: CPUInfo.current.coreCount)
        let runner = try loadModel(
            folder: Folders.demo + "/base", dtype: variant.dtype, quantization: variant.quantization, pool: pool)
        let harness = try Harness(runner, blocks: 2048, blockSize: 16, cache: variant.cache)
        let chosen = examples.filter { $0.margin >= variant.leastMargin }
        for start in stride(from: 0, to: chosen.count, by: 32) {
            let group = chosen[start..<min(start + 32, chosen.count)]
            let answers = try harness.greedy(group.map(\.prompt), counts: group.map(\.expected.count))
            for (example, answer) in zip(group, answers) {
                #expect(answer == example.expected, "\(example.id) in \(variant)")
            }
        }
    }
}
