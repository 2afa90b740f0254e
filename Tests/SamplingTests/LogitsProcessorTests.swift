import Sampling
import Testing

@Suite struct LogitsProcessorTests {
    private func processed(
        _ logits: [Float] = [0, 0, 0, 0, 0, 0], output: [Int32] = [], badWords: [[Int32]] = [], ends: [Int32] = [],
        _ change: (inout SamplingParameters) -> Void = { _ in }
    ) -> [Float] {
        var parameters = SamplingParameters()
        change(&parameters)
        var processor = LogitsProcessor(
            parameters, vocabularySize: logits.count, prompt: [], badWords: badWords, endTokens: ends)
        for token in output { processor.record(token) }
        var logits = logits
        logits.withUnsafeMutableBufferPointer { processor.apply(to: $0, output: output, count: output.count) }
        return logits
    }

    private let no = -Float.infinity

    @Test func onlyAllowedTokensRemain() {
        #expect(processed { $0.allowedTokenIDs = [1, 4] } == [no, 0, no, no, 0, no])
    }

    @Test func badWordLosesItsLastTokenOnlyAfterTheOthers() {
        #expect(processed(output: [5], badWords: [[2, 3]]) == [0, 0, 0, 0, 0, 0])
        #expect(processed(output: [5, 2], badWords: [[2, 3]]) == [0, 0, 0, no, 0, 0])
        #expect(processed(badWords: [[1]]) == [0, no, 0, 0, 0, 0])
        #expect(processed(badWords: [[1, 2, 3]]) == [0, 0, 0, 0, 0, 0])
    }

    @Test func endTokensWaitForTheMinimum() {
        #expect(processed(output: [1], ends: [0, 3]) { $0.minTokens = 2 } == [no, 0, 0, no, 0, 0])
        #expect(processed(output: [1, 1], ends: [0, 3]) { $0.minTokens = 2 } == [0, 0, 0, 0, 0, 0])
    }

    @Test func tokensOutsideTheVocabularyAreHarmless() {
        let row = processed(output: [1, 70], badWords: [[99]], ends: [-1, 77]) {
            $0.minTokens = 5
            $0.presencePenalty = 1
            $0.logitBias = [500: 3]
        }
        #expect(row == [0, -1, 0, 0, 0, 0])
    }

    @Test func knowsWhenItDoesNothing() {
        let idle = LogitsProcessor(
            SamplingParameters(), vocabularySize: 8, prompt: [1], badWords: [], endTokens: [0])
        #expect(idle.isIdentity)
        var parameters = SamplingParameters()
        parameters.presencePenalty = 0.1
        let busy = LogitsProcessor(parameters, vocabularySize: 8, prompt: [1], badWords: [], endTokens: [0])
        #expect(!busy.isIdentity)
    }
}

@Suite struct ValidationTests {
    private func problem(_ change: (inout SamplingParameters) -> Void) -> String? {
        var parameters = SamplingParameters()
        change(&parameters)
        do {
            try parameters.validate(vocabularySize: 100)
            return nil
        } catch {
            return error.parameter
        }
    }

    @Test func acceptsTheDefaults() { #expect(problem { _ in } == nil) }

    @Test func namesTheParameter() {
        #expect(problem { $0.n = 0 } == "n")
        #expect(problem { $0.n = 1 << 40 } == "n")
        #expect(problem { $0.maxTokens = 0 } == "max_tokens")
        #expect(problem { $0.minTokens = -1 } == "min_tokens")
        #expect(
            problem {
                $0.maxTokens = 3
                $0.minTokens = 4
            } == "min_tokens")
        #expect(problem { $0.temperature = -0.1 } == "temperature")
        #expect(problem { $0.temperature = .nan } == "temperature")
        #expect(problem { $0.temperature = .infinity } == "temperature")
        #expect(problem { $0.topP = 0 } == "top_p")
        #expect(problem { $0.topP = .nan } == "top_p")
        #expect(problem { $0.topP = 1.01 } == "top_p")
        #expect(problem { $0.topK = -2 } == "top_k")
        #expect(problem { $0.minP = 1.5 } == "min_p")
        #expect(problem { $0.presencePenalty = 2.1 } == "presence_penalty")
        #expect(problem { $0.frequencyPenalty = -.infinity } == "frequency_penalty")
        #expect(problem { $0.repetitionPenalty = 0 } == "repetition_penalty")
        #expect(problem { $0.repetitionPenalty = .nan } == "repetition_penalty")
        #expect(problem { $0.logprobs = 21 } == "logprobs")
        #expect(problem { $0.promptLogprobs = -1 } == "prompt_logprobs")
        #expect(problem { $0.stop = [""] } == "stop")
        #expect(problem { $0.stop = Array(repeating: "a", count: 1_000_000) } == "stop")
        #expect(problem { $0.badWords = [" "] } == "bad_words")
        #expect(problem { $0.stopTokenIDs = [100] } == "stop_token_ids")
        #expect(problem { $0.logitBias = [-1: 0] } == "logit_bias")
        #expect(problem { $0.logitBias = [1: .nan] } == "logit_bias")
        #expect(problem { $0.allowedTokenIDs = [] } == "allowed_token_ids")
        #expect(problem { $0.allowedTokenIDs = [5, 100] } == "allowed_token_ids")
    }
}
