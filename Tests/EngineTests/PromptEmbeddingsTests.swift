import Checkpoints
import Engine
import Foundation
import Sampling
import Testing

/// Prompts that are rows of embeddings.
@Suite struct PromptEmbeddingsTests {
    private static let prompt: [Int32] = [1, 7, 30, 8, 12, 31, 5, 4, 9, 5, 22, 3]

    /// A safetensors file's content with one tensor.
    private static func file(_ shape: [Int], _ values: [Float], dtype: String = "F32") -> [UInt8] {
        let data = values.flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian) { Array($0) } }
        let header = #"{"x":{"dtype":"\#(dtype)","shape":\#(shape),"data_offsets":[0,\#(data.count)]}}"#
        return withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8) + data
    }

    /// What the model's own table has for tokens.
    private static func rows(_ tokens: [Int32], _ folder: String) throws -> [Float] {
        let store = try TensorStore(folder: folder)
        let table = try store.tensor("model.embed_tokens.weight")
        let width = table.shape[1]
        return table.withBytes { bytes in
            let values = bytes.bindMemory(to: Float.self)
            return tokens.flatMap { values[Int($0) * width..<(Int($0) + 1) * width] }
        }
    }

    private static func request(_ embeddings: PromptEmbeddings?, _ adapters: [AdapterSelection]) -> GenerationRequest {
        var sampling = SamplingParameters.greedy
        sampling.maxTokens = 8
        sampling.ignoreEOS = true
        sampling.logprobs = 1
        var request = GenerationRequest(id: "r", prompt: embeddings == nil ? prompt : [], sampling: sampling)
        request.embeddings = embeddings
        request.adapters = adapters
        return request
    }

    @Test(arguments: [(16, 2048), (4, 3), (1, 1)])
    func rowsOfTheTableAreTheTokens(blockSize: Int, budget: Int) async throws {
        let model = try TinyModel("plain")
        let llm = try await model.load(["lora", "prompt-tuning", "prefix-tuning"]) {
            $0.blockSize = blockSize
            $0.maxBatchedTokens = budget
        }
        let embeddings = try PromptEmbeddings(
            safetensors: Self.file([12, 16], Self.rows(Self.prompt, model.folder)))
        for adapters in [[], ["lora"], ["prompt-tuning"], ["prefix-tuning", "lora"]] {
            let selections = adapters.map { AdapterSelection($0) }
            let expected = try await Answer(Self.request(nil, selections), from: llm)
            for round in 0..<2 {
                let found = try await Answer(Self.request(embeddings, selections), from: llm)
                #expect(found.tokens == expected.tokens && found.logprobs == expected.logprobs, "\(adapters)")
                #expect(found.cachedTokens == (round == 0 ? 0 : 11), "content is found again, but never as tokens")
            }
        }
        let result = try await llm.generate(.embeddings(embeddings), sampling: .greedy)
        #expect(result.promptTokens.isEmpty && result.outputs[0].tokens.count > 0)
        #expect(await llm.engine.audit() == nil)
    }

    @Test func otherRowsAreAnotherPrompt() async throws {
        let model = try TinyModel("plain")
        let llm = try await model.load([])
        var rows = try Self.rows(Self.prompt, model.folder)
        let first = try await Answer(
            Self.request(PromptEmbeddings(safetensors: Self.file([12, 16], rows)), []), from: llm)
        rows[5 * 16] += 0.5
        let second = try await Answer(
            Self.request(PromptEmbeddings(safetensors: Self.file([1, 12, 16], rows)), []), from: llm)
        #expect(first.logprobs != second.logprobs && second.cachedTokens == 0)
    }

    @Test func damagedContentIsRefused() throws {
        let good = Self.file([2, 4], [1, 2, 3, 4, 5, 6, 7, 8])
        #expect(try PromptEmbeddings(safetensors: good).count == 2)
        for (content, words) in [
            ([], "0 bytes"), (Array(good.dropLast()), "x"), (Array(good.prefix(12)), "header"),
            (Self.file([2, 4], [1, 2, 3, 4, 5, 6, 7, .nan]), "finite"),
            (Self.file([2, 4], [1, 2, 3, 4, 5, 6, 7, -.infinity]), "finite"),
            (Self.file([8], [1, 2, 3, 4, 5, 6, 7, 8]), "shape"),
            (Self.file([2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8]), "shape"),
            (Self.file([0, 4], []), "shape"), (Self.file([2, 4], [1, 2, 3, 4, 5, 6, 7, 8], dtype: "I32"), "I32"),
            (Self.file([1 << 40, 1 << 40], [1]), "x"),
            (Array("\u{80}\u{2}}q\u{0}(X".utf8) + [UInt8](repeating: 0, count: 64), "header"),
        ] as [([UInt8], String)] {
            do {
                _ = try PromptEmbeddings(safetensors: content)
                Issue.record("\(words) was accepted")
            } catch EngineError.invalidRequest(let parameter, let message) {
                #expect(parameter == "prompt_embeds" && message.contains(words), "\(message)")
            }
        }
    }

    @Test func whatDoesNotFitTheModelIsRefused() async throws {
        let llm = try await TinyModel("plain").load([]) { $0.maxModelLength = 16 }
        let wide = try PromptEmbeddings(safetensors: Self.file([2, 4], Array(repeating: 1, count: 8)))
        let long = try PromptEmbeddings(safetensors: Self.file([16, 16], Array(repeating: 1, count: 256)))
        let fitting = try PromptEmbeddings(safetensors: Self.file([2, 16], Array(repeating: 1, count: 32)))
        var both = Self.request(fitting, [])
        both.prompt = [1]
        var scored = Self.request(fitting, [])
        scored.sampling.promptLogprobs = 1
        for (request, words) in [
            (Self.request(wide, []), "hidden size is 16"), (Self.request(long, []), "16 tokens"), (both, "not both"),
            (scored, "not compatible"),
        ] {
            do {
                _ = try await Answer(request, from: llm)
                Issue.record("\(words) was accepted")
            } catch EngineError.invalidRequest(_, let message) {
                #expect(message.contains(words), "\(message)")
            }
        }
        #expect(try await Answer(Self.request(fitting, []), from: llm).tokens.count == 8)
    }
}
