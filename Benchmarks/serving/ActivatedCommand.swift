import ArgumentParser
import Engine
import SyntheticModels

/// A judge of the base model's answers as a LoRA, which computes prompt and answer again, and as an Activated LoRA, which
/// begins at its invocation and finds all before it in the cache.
struct ActivatedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alora",
        abstract: "An adapter judges the base model's answer: Activated LoRA against LoRA.")

    @OptionGroup var model: AdapterModel
    @Option(parsing: .upToNextOption, help: "Lengths of the prompt that the base model answers.")
    var lengths = [1024, 4096, 16_384]
    @Option(help: "Tokens of the base model's answer.") var answer = 64
    @Option(help: "Tokens of the judgement.") var outputs = 16
    @Option var rank = 32

    /// Tokens that `randomTokens` never draws.
    private static let invocation: [Int32] = [3, 4, 5, 6]

    func run() async throws {
        try await model.withFolder { folder in
            let longest = (lengths.max() ?? 1) + answer + Self.invocation.count + outputs
            let kinds: [(name: String, kind: RandomAdapter.Kind)] = [
                ("lora", .lora(rank: rank)), ("alora", .activated(rank: rank, invocation: Self.invocation)),
            ]
            // What the base model and the LoRA compute, and both adapters, which may be stored in float32.
            let others =
                longest * folder.shape.cacheBytesPerToken + 5 * folder.adapter(.lora(rank: rank), 0).byteCount
                + (64 << 20)
            let engine = try await folder.engine(maxLength: longest, others: others)
            for (name, kind) in kinds {
                try await engine.adapters.load(name, path: try folder.write(kind, 0))
                _ = try await judge(engine, randomTokens(64, seed: 1), by: name)
            }
            for length in lengths { try await measure(engine, length) }
            engine.shutdown()
        }
    }

    private func measure(_ engine: InferenceEngine, _ length: Int) async throws {
        var series = Series()
        for round in 0..<model.repeats {
            await engine.resetPrefixCache()
            let prompt = randomTokens(length, seed: length * 100 + round)
            let base = try await engine.run(prompt, outputs: answer)
            series.add("answer", base.timeToLastToken)
            // Neither finds anything of the other, so the order does not matter but for the machine's moods.
            for name in round.isMultiple(of: 2) ? ["lora", "alora"] : ["alora", "lora"] {
                let judgement = try await judge(engine, prompt + base.output, by: name)
                series.add(name + " first", judgement.timeToFirstToken)
                series.add(name + " all", judgement.timeToLastToken)
                series.add(name + " cached", Double(judgement.cachedTokens))
            }
        }
        report(
            "alora \(length) tokens",
            [
                ("answer", series.milliseconds("answer")), ("lora ttft", series.milliseconds("lora first")),
                ("alora ttft", series.milliseconds("alora first")),
                ("ratio", short(series.median("lora first") / series.median("alora first"))),
                ("lora end", series.milliseconds("lora all")), ("alora end", series.milliseconds("alora all")),
                ("end ratio", short(series.median("lora all") / series.median("alora all"))),
                ("lora cached", "\(Int(series.median("lora cached")))"),
                ("alora cached", "\(Int(series.median("alora cached")))"),
            ])
    }

    private func judge(_ engine: InferenceEngine, _ conversation: [Int32], by name: String) async throws -> Timeline {
        try await engine.run(conversation + Self.invocation, outputs: outputs) {
            $0.adapters = [AdapterSelection(name)]
        }
    }
}
