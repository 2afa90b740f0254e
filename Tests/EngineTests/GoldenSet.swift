import Checkpoints
import Engine
import Foundation
import Sampling

/// An independent golden set, where `MARTLET_GOLDEN` points to one.
struct GoldenSet: Sendable {
    static let folder = ProcessInfo.processInfo.environment["MARTLET_GOLDEN"]
    static let architectures = ["llama", "mistral", "qwen2", "bloom"]

    /// What one request must answer, as transformers and PEFT compute it.
    struct Case: Sendable {
        let id: String
        let adapters: [AdapterSelection]
        let prompt: [Int32]
        let tokens: [Int32]
        let logprobs: [Double]
        /// Least distance of the best two logits: below rounding, tokens may differ.
        let minMargin: Double
        let adapterStart: Int?
        let virtualTokens: Int

        var isCertain: Bool { minMargin > 0.004 }

        init(_ json: JSONValue) {
            id = json["id"]?.string ?? json["adapter"]?.string ?? ""
            let names = json["adapter"]?.array?.compactMap(\.string) ?? [json["adapter"]?.string].compactMap(\.self)
            let weights = json["weights"]?.array?.compactMap(\.double) ?? []
            adapters = names.enumerated().map {
                AdapterSelection($1, scale: $0 < weights.count ? weights[$0] : 1, task: json["task_id"]?.int)
            }
            prompt = Self.tokens(json["prompt_ids"])
            tokens = Self.tokens(json["greedy_ids"])
            logprobs = json["greedy_logprobs"]?.array?.compactMap(\.double) ?? []
            minMargin = json["min_margin"]?.double ?? 0
            adapterStart = json["alora_start"]?.int
            virtualTokens = json["virtual_tokens"]?.int ?? 0
        }

        static func tokens(_ json: JSONValue?) -> [Int32] {
            json?.array?.compactMap { $0.int.map(Int32.init) } ?? []
        }

        func request(readsCache: Bool = true) -> GenerationRequest {
            var sampling = SamplingParameters.greedy
            sampling.maxTokens = tokens.count
            sampling.ignoreEOS = true
            sampling.logprobs = 0
            var request = GenerationRequest(id: id, prompt: prompt, sampling: sampling)
            request.adapters = adapters
            request.readsCache = readsCache
            return request
        }
    }

    let json: JSONValue
    let cases: [Case]

    init(_ file: String) throws {
        json = try JSONValue(
            parsing: String(contentsOfFile: (Self.folder ?? "") + "/golden/" + file, encoding: .utf8))
        cases = (json["cases"]?.array ?? []).map(Case.init)
    }

    static func model(_ name: String) -> String { (folder ?? "") + "/models/" + name }
}
