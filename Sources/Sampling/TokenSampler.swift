import CKernels

/// Chooses a token from one row of logits: temperature, then min-p, top-k and top-p, then one keyed random number.
package struct TokenSampler: Sendable {
    private let temperature: Float
    private let topK: Int
    private let topP: Double
    private let minP: Double
    private let generator: KeyedGenerator

    /// Smaller temperatures overflow the logits; vLLM has the same floor.
    private static let lowestTemperature = 0.01

    /// - Parameter seed: decided once for each choice of a request.
    package init(_ parameters: SamplingParameters, seed: UInt64) {
        temperature = parameters.isGreedy ? 0 : Float(max(parameters.temperature, Self.lowestTemperature))
        topK = parameters.topK
        topP = parameters.topP
        minP = parameters.minP
        generator = KeyedGenerator(seed: seed)
    }

    /// The token at output position `position`; nil when no token is possible (every logit is −∞ or some are NaN).
    ///
    /// Changes the row. O(vocabulary), and O(vocabulary · log k) with top-k or top-p.
    /// - Parameter scratch: room for one value for each token of the vocabulary.
    package func sample(
        _ logits: UnsafeMutableBufferPointer<Float>, position: Int, scratch: inout SamplingScratch
    ) -> Int32? {
        guard let row = logits.baseAddress, !logits.isEmpty else { return nil }
        let width = Int32(logits.count)
        let best = mk_argmax(row, width)
        guard logits[Int(best)].isFinite else { return nil }
        if temperature == 0 { return best }
        mk_scale(row, width, temperature)
        let maximum = logits[Int(best)]
        if minP > 0 { mk_apply_min_p(row, width, maximum, Float(minP)) }
        let uniform = generator.uniform(at: position)
        if topK > 0 && topK < logits.count { return sampleTopK(logits, uniform, &scratch) }
        if topP < 1 { return sampleTopP(logits, maximum, uniform, &scratch) }
        scratch.reserve(logits.count)
        let mass = mk_softmax_exp(row, width, maximum, scratch.values)
        let index = mk_walk(scratch.values, width, uniform * mass)
        return index < 0 ? nil : index
    }

    private func sampleTopK(
        _ logits: UnsafeMutableBufferPointer<Float>, _ uniform: Double, _ scratch: inout SamplingScratch
    ) -> Int32? {
        guard let row = logits.baseAddress else { return nil }
        scratch.reserve(logits.count)
        let count = mk_top_k(row, Int32(logits.count), Int32(topK), scratch.indices, scratch.values)
        let mass = mk_softmax_exp(scratch.values, count, scratch.values[0], scratch.values)
        return walk(count, mass: mass, uniform, scratch)
    }

    /// Tokens that are worth sorting to find the most probable ones; beyond, they are found by bisection.
    private static let mostSorted: Int32 = 512

    /// Looks at more and more of the most probable tokens until they hold the mass: few suffice for most rows.
    private func sampleTopP(
        _ logits: UnsafeMutableBufferPointer<Float>, _ maximum: Float, _ uniform: Double,
        _ scratch: inout SamplingScratch
    ) -> Int32? {
        guard let row = logits.baseAddress else { return nil }
        scratch.reserve(logits.count)
        let width = Int32(logits.count)
        let mass = mk_softmax_exp(row, width, maximum, scratch.values)
        var wanted: Int32 = 64
        while true {
            let count = mk_top_k(row, width, min(wanted, width), scratch.indices, scratch.values)
            let covered = mk_softmax_exp(scratch.values, count, maximum, scratch.values)
            if covered >= topP * mass || count == width { return walk(count, mass: mass, uniform, scratch) }
            if wanted >= Self.mostSorted {
                _ = mk_softmax_exp(row, width, maximum, scratch.values)
                let index = mk_draw_nucleus(scratch.values, width, topP * mass, uniform)
                return index < 0 ? nil : index
            }
            wanted = wanted > width / 8 ? width : wanted * 8
        }
    }

    /// Draws among the first of `count` sorted candidates that together reach top-p of `mass`.
    private func walk(_ count: Int32, mass: Double, _ uniform: Double, _ scratch: borrowing SamplingScratch) -> Int32? {
        var nucleusMass = 0.0
        let nucleus = mk_nucleus(scratch.values, count, topP * mass, &nucleusMass)
        let index = mk_walk(scratch.values, nucleus, uniform * nucleusMass)
        return index < 0 ? nil : scratch.indices[Int(index)]
    }
}

/// Buffers that one worker reuses from row to row; not for two threads at once.
package struct SamplingScratch: ~Copyable {
    fileprivate private(set) var values = UnsafeMutablePointer<Float>.allocate(capacity: 1)
    fileprivate private(set) var indices = UnsafeMutablePointer<Int32>.allocate(capacity: 1)
    private var capacity = 1

    package init() {}

    fileprivate mutating func reserve(_ count: Int) {
        guard count > capacity else { return }
        free()
        values = .allocate(capacity: count)
        indices = .allocate(capacity: count)
        capacity = count
    }

    private func free() {
        values.deallocate()
        indices.deallocate()
    }

    deinit { free() }
}
