import ArgumentParser
import Checkpoints
import DemoModel
import Engine
import Foundation
import Sampling

/// What rounding costs: answers of the demo model and its adapters in every form of weights and cache.
struct QualityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quality",
        abstract: "Answers and perplexity of the demo model with rounded weights and caches.",
        discussion: """
            720 questions to the demo model and its five adapters, with their true answers: the share answered exactly, the \
            share whose tokens are those of transformers in float32, and the perplexity of the true answers' tokens.
            """)

    private struct Variant {
        let name: String
        var dtype = EngineConfiguration.DType.bfloat16
        var quantization = EngineConfiguration.Quantization.none
        var cache = EngineConfiguration.CacheDType.auto
    }

    private struct Question {
        let prompt: [Int32]
        let reference: [Int32]
        let gold: String
        let adapter: String?
    }

    private static let variants = [
        Variant(name: "float32", dtype: .float32), Variant(name: "bfloat16"),
        Variant(name: "bfloat16, int8 cache", cache: .int8), Variant(name: "int8", quantization: .int8),
        Variant(name: "int8, int8 cache", quantization: .int8, cache: .int8),
        Variant(name: "int4", quantization: .int4),
        Variant(name: "int4, int8 cache", quantization: .int4, cache: .int8),
    ]

    func run() async throws {
        let folder = try DemoModelFolder.locate()
        let questions = try Self.questions(folder.examples)
        for variant in Self.variants {
            var configuration = EngineConfiguration()
            configuration.dtype = variant.dtype
            configuration.quantization = variant.quantization
            configuration.cacheDType = variant.cache
            let llm = try await LLM(configuration: configuration)
            for name in Set(questions.compactMap(\.adapter)).sorted() {
                try await llm.adapters.load(name, path: folder.adapters + "/" + name)
            }
            try await measure(llm, variant.name, questions)
            llm.engine.shutdown()
        }
    }

    private static func questions(_ file: String) throws -> [Question] {
        try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").compactMap { line in
            let json = try JSONValue(parsing: String(line))
            guard let gold = json["gold"]?.string else { return nil }
            func tokens(_ name: String) -> [Int32] {
                json[name]?.array?.compactMap { $0.int.map(Int32.init) } ?? []
            }
            return Question(
                prompt: tokens("prompt_ids"), reference: tokens("expected_ids"), gold: gold,
                adapter: json["adapter"]?.string)
        }
    }

    private func measure(_ llm: LLM, _ name: String, _ questions: [Question]) async throws {
        var sampling = SamplingParameters.greedy
        sampling.maxTokens = 128
        let adapters = questions.map(\.adapter)
        let answers = try await llm.generate(
            questions.map { .tokens($0.prompt) }, sampling: sampling, adapters: adapters)
        sampling.maxTokens = 1
        sampling.promptLogprobs = 0
        let scored = try await llm.generate(
            questions.map { .tokens($0.prompt + $0.reference) }, sampling: sampling, adapters: adapters)
        var (right, same, loss, count) = (0, 0, 0.0, 0)
        for (question, (answer, score)) in zip(questions, zip(answers, scored)) {
            right += answer.text == question.gold ? 1 : 0
            same += answer.outputs.first?.tokens == question.reference ? 1 : 0
            for logprob in (score.promptLogprobs ?? []).suffix(question.reference.count) {
                guard let logprob else { continue }
                loss -= Double(logprob.chosen.logprob)
                count += 1
            }
        }
        func share(_ part: Int) -> String { String(format: "%.1f %%", 100 * Double(part) / Double(questions.count)) }
        report(
            "quality \(name)",
            [
                ("right", share(right)), ("as float32 in transformers", share(same)),
                ("perplexity", String(format: "%.4f", exp(loss / Double(max(1, count))))),
            ])
    }
}
