import ArgumentParser

/// The requests of a run: random, or from a file.
struct PromptOptions: ParsableArguments {
    @Option(name: .customLong("num-prompts"), help: ArgumentHelp("Requests to send.", valueName: "count"))
    var count = 100

    @Option(
        name: [.customLong("dataset"), .customLong("dataset-path")],
        help: ArgumentHelp(
            "File of JSON lines instead of random prompts: {\"prompt\": TEXT or IDS} or {\"messages\": […]}, each perhaps with \"output_len\" and \"adapter\".",
            valueName: "file"))
    var dataset: String?

    @Option(
        name: [.customLong("input-len"), .customLong("random-input-len")],
        help: ArgumentHelp("Length of a random prompt, beside the shared prefix.", valueName: "tokens"))
    var inputLength = TokenCount(1024)

    @Option(
        name: [.customLong("output-len"), .customLong("random-output-len"), .customLong("custom-output-len")],
        help: ArgumentHelp(
            "Tokens that a request generates, where the file does not say it.", valueName: "tokens"))
    var outputLength = TokenCount(128)

    @Option(
        name: [.customLong("range-ratio"), .customLong("random-range-ratio")],
        help: ArgumentHelp(
            "Draw lengths evenly from (1 - ratio) to (1 + ratio) of these.", valueName: "ratio"))
    var rangeRatio = 0.0

    @Option(
        name: [.customLong("prefix-len"), .customLong("random-prefix-len")],
        help: ArgumentHelp("Length of a prefix that all random prompts share.", valueName: "tokens"))
    var prefixLength = TokenCount(0)

    @Option(
        help: ArgumentHelp(
            "Names that requests ask for in turn, adapters or the model, with weights: sql:3,pirate,martlet-demo.",
            valueName: "name[:weight],…"))
    var adapters: AdapterMix?

    @Option(name: .customLong("max-concurrency"), help: ArgumentHelp("Most requests at a time.", valueName: "count"))
    var maxConcurrency: Int?

    @Option(help: ArgumentHelp("Seed of prompts and arrivals.", valueName: "number"))
    var seed: UInt64 = 0

    func validate() throws {
        guard (1...1_000_000).contains(count) else { throw ValidationError("--num-prompts must be from 1 to 1000000.") }
        guard inputLength.tokens >= 1, outputLength.tokens >= 1 else {
            throw ValidationError("--input-len and --output-len must be at least 1.")
        }
        guard (0..<1).contains(rangeRatio) else { throw ValidationError("--range-ratio must be from 0 to below 1.") }
        guard maxConcurrency ?? 1 >= 1 else { throw ValidationError("--max-concurrency must be at least 1.") }
    }

    /// The requests.
    ///
    /// - Parameter mix: names for those that name none themselves.
    func prompts(vocabularySize: Int, mix: AdapterMix?) throws -> [BenchPrompt] {
        var prompts: [BenchPrompt]
        if let dataset {
            prompts = try PromptDataset.prompts(
                file: InputFile.bytes(dataset), name: dataset, count: count, outputLength: outputLength.tokens)
        } else {
            prompts = RandomPrompts(
                inputLength: inputLength.tokens, outputLength: outputLength.tokens, rangeRatio: rangeRatio,
                prefixLength: prefixLength.tokens, vocabularySize: vocabularySize, seed: seed
            ).prompts(count: count)
        }
        for (index, name) in (mix?.assign(count: prompts.count) ?? []).enumerated() where prompts[index].adapter == nil
        {
            prompts[index].adapter = name
        }
        return prompts
    }
}
