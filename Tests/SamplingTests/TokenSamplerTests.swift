import Sampling
import Testing

@Suite struct TokenSamplerTests {
    private func sample(
        _ logits: [Float], position: Int = 0, seed: UInt64 = 1, _ change: (inout SamplingParameters) -> Void = { _ in }
    ) -> Int32? {
        var parameters = SamplingParameters()
        change(&parameters)
        var logits = logits
        var scratch = SamplingScratch()
        let sampler = TokenSampler(parameters, seed: seed)
        return logits.withUnsafeMutableBufferPointer { sampler.sample($0, position: position, scratch: &scratch) }
    }

    @Test func greedyTakesTheFirstOfEquals() {
        #expect(sample([1, 5, 5, 2]) { $0.temperature = 0 } == 1)
    }

    @Test func sameSeedAndPositionGiveTheSameToken() {
        let logits = (0..<1000).map { Float($0 % 17) / 5 }
        for position in 0..<50 {
            #expect(sample(logits, position: position, seed: 9) == sample(logits, position: position, seed: 9))
        }
        let first = (0..<50).map { sample(logits, position: $0, seed: 9) }
        let second = (0..<50).map { sample(logits, position: $0, seed: 10) }
        #expect(first != second)
    }

    @Test func noPossibleTokenIsNoToken() {
        let nothing = [Float](repeating: -.infinity, count: 8)
        #expect(sample(nothing) == nil)
        #expect(sample(nothing) { $0.temperature = 0 } == nil)
        #expect(sample([.nan, .nan]) == nil)
        #expect(sample([]) == nil)
    }

    @Test func masksNeverComeBack() {
        var logits = [Float](repeating: -.infinity, count: 300)
        logits[123] = -80
        for position in 0..<100 {
            #expect(sample(logits, position: position) == 123)
            #expect(sample(logits, position: position) { $0.topP = 0.5 } == 123)
            #expect(sample(logits, position: position) { $0.topK = 7 } == 123)
        }
    }

    @Test func flatRowsNeedEveryCandidate() {
        let logits = [Float](repeating: 0, count: 2000)
        let drawn = Set((0..<4000).compactMap { sample(logits, position: $0) { $0.topP = 0.999 } })
        #expect(drawn.count > 1500)
    }

    @Test func hugeLogitsAndTinyTemperaturesStayFinite() {
        #expect(sample([3e38, -3e38, 1]) { $0.temperature = 1e-9 } == 0)
        #expect(sample([-3e38, -3e38, -2e38]) { $0.temperature = 0.01 } != nil)
    }
}

@Suite struct KeyedGeneratorTests {
    /// Known answers of Random123's `kat_vectors` for philox4x32 with 10 rounds.
    @Test func knownAnswers() {
        let zero = KeyedGenerator(seed: 0).block(0)
        #expect([zero.0, zero.1, zero.2, zero.3] == [0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8])
    }

    @Test func uniformNumbersAreSpreadEvenly() {
        let generator = KeyedGenerator(seed: 42)
        var buckets = [Int](repeating: 0, count: 16)
        for position in 0..<16_000 {
            let number = generator.uniform(at: position)
            #expect(number >= 0 && number < 1)
            buckets[Int(number * 16)] += 1
        }
        #expect(buckets.allSatisfy { abs($0 - 1000) < 150 })
    }
}
