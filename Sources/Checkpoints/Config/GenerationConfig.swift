/// The defaults for sampling that a model's authors ship in `generation_config.json`; nil where the file is silent.
package struct GenerationConfig: Sendable, Equatable {
    package var temperature: Double?
    package var topP: Double?
    /// Number of most likely tokens to choose from; 0 and -1 mean all.
    package var topK: Int?
    package var minP: Double?
    package var repetitionPenalty: Double?
    package var maximumNewTokens: Int?
    /// Most tokens of prompt and output together.
    package var maximumLength: Int?
    package var doSample: Bool?
    package var beginTokenID: Int32?
    package var endTokenIDs: [Int32] = []
    package var padTokenID: Int32?
    package var stopStrings: [String] = []

    package init() {}

    /// Reads `generation_config.json` in `folder`; a folder without one has no defaults.
    package init(folder: String) throws(CheckpointError) {
        self.init()
        guard let fields = try ConfigFields.ifPresent(path: folder + "/generation_config.json") else { return }
        self = try GenerationConfig(fields)
    }

    package init(_ fields: ConfigFields) throws(CheckpointError) {
        temperature = try fields.double("temperature", in: 0...100)
        topP = try fields.double("top_p", in: Double.leastNonzeroMagnitude...1)
        topK = try fields.int("top_k", in: -1...1 << 30)
        minP = try fields.double("min_p", in: 0...1)
        repetitionPenalty = try fields.double("repetition_penalty", in: Double.leastNormalMagnitude...100)
        maximumNewTokens = try fields.int("max_new_tokens", in: 1...1 << 30)
        maximumLength = try fields.int("max_length", in: 1...1 << 30)
        doSample = try fields.bool("do_sample")
        beginTokenID = try fields.tokenID("bos_token_id")
        endTokenIDs = try fields.tokenIDs("eos_token_id")
        padTokenID = try fields.tokenID("pad_token_id")
        if let single = fields.value("stop_strings")?.string {
            stopStrings = [single]
        } else {
            stopStrings = try fields.strings("stop_strings") ?? []
        }
    }
}
