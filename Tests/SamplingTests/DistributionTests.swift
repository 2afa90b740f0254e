import Checkpoints
import Foundation
import Sampling
import Testing

/// Draws against the probabilities that transformers' logits processors give (`Tools/sampling/generate.py`).
@Suite struct DistributionTests {
    private static let draws = 20_000

    @Test(arguments: try DistributionCase.load())
    func frequenciesMatch(_ expected: DistributionCase) {
        let counts = frequencies(expected)
        for token in expected.probabilities.indices {
            let probability = expected.probabilities[token]
            if probability == 0 {
                #expect(counts[token] == 0, "token \(token) should be impossible")
            } else {
                let deviation = (probability * (1 - probability) / Double(Self.draws)).squareRoot()
                let found = Double(counts[token]) / Double(Self.draws)
                #expect(abs(found - probability) <= 5 * deviation + 1e-4, "token \(token)")
            }
        }
    }

    private func frequencies(_ expected: DistributionCase) -> [Int] {
        var processor = LogitsProcessor(
            expected.parameters, vocabularySize: expected.logits.count, prompt: expected.prompt, badWords: [],
            endTokens: [])
        for token in expected.output { processor.record(token) }
        let sampler = TokenSampler(expected.parameters, seed: 11)
        var scratch = SamplingScratch()
        var counts = [Int](repeating: 0, count: expected.logits.count)
        for position in 0..<Self.draws {
            var row = expected.logits
            row.withUnsafeMutableBufferPointer { row in
                processor.apply(to: row, output: expected.output, count: expected.output.count)
                if let token = sampler.sample(row, position: position, scratch: &scratch) { counts[Int(token)] += 1 }
            }
        }
        return counts
    }

    @Test(arguments: try DistributionCase.load())
    func logprobsAreThoseOfTheUnchangedRow(_ expected: DistributionCase) throws {
        for token in expected.logits.indices {
            let report = try #require(
                expected.logits.withUnsafeBufferPointer {
                    LogprobReporter.report($0, token: Int32(token), top: 5)
                })
            #expect(abs(Double(report.chosen.logprob) - expected.logSoftmax[token]) < 1e-5)
            let better = expected.logSoftmax.count { $0 > expected.logSoftmax[token] }
            #expect(report.chosen.rank == better + 1)
            let best = expected.logSoftmax.indices.sorted { expected.logSoftmax[$0] > expected.logSoftmax[$1] }
            #expect(report.top.map { Int($0.token) } == Array(best.prefix(5)))
        }
    }
}

struct DistributionCase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let parameters: SamplingParameters
    let logits: [Float]
    let prompt: [Int32]
    let output: [Int32]
    let probabilities: [Double]
    let logSoftmax: [Double]

    static func load() throws -> [DistributionCase] {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/distributions.json")
        let cases = try JSONValue(parsing: String(contentsOf: file, encoding: .utf8))
        return (cases.array ?? []).map(DistributionCase.init)
    }

    private init(_ json: JSONValue) {
        testDescription = json["parameters"]?.compactText ?? ""
        parameters = SamplingParameters(testing: json["parameters"] ?? [:])
        logits = json["logits"]?.array?.compactMap { $0.double.map(Float.init) } ?? []
        prompt = json["prompt"]?.array?.compactMap { $0.int.map(Int32.init) } ?? []
        output = json["output"]?.array?.compactMap { $0.int.map(Int32.init) } ?? []
        probabilities = json["probabilities"]?.array?.compactMap(\.double) ?? []
        logSoftmax = json["log_softmax"]?.array?.compactMap(\.double) ?? []
    }
}

extension SamplingParameters {
    fileprivate init(testing json: JSONValue) {
        self.init()
        temperature = json["temperature"]?.double ?? 1
        topK = json["top_k"]?.int ?? 0
        topP = json["top_p"]?.double ?? 1
        minP = json["min_p"]?.double ?? 0
        repetitionPenalty = json["repetition_penalty"]?.double ?? 1
        frequencyPenalty = json["frequency_penalty"]?.double ?? 0
        presencePenalty = json["presence_penalty"]?.double ?? 0
        for (token, bias) in json["logit_bias"]?.object ?? [:] {
            if let token = Int32(token), let bias = bias.double { logitBias[token] = Float(bias) }
        }
    }
}
