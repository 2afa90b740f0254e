import CKernels

/// Reads log probabilities off a row of logits as the model gave it, before anything changes it.
package enum LogprobReporter {
    /// Log probability and rank of `token`, and the `count` most probable tokens. O(vocabulary · log count).
    package static func report(
        _ logits: UnsafeBufferPointer<Float>, token: Int32, top count: Int
    ) -> PositionLogprobs? {
        guard let row = logits.baseAddress, token >= 0, Int(token) < logits.count else { return nil }
        let width = Int32(logits.count)
        let normalizer = mk_log_sum_exp(row, width)
        let count = min(count, logits.count)
        var indices = [Int32](repeating: 0, count: count)
        var values = [Float](repeating: 0, count: count)
        if count > 0 { mk_top_k(row, width, Int32(count), &indices, &values) }
        let chosen = logits[Int(token)]
        return PositionLogprobs(
            chosen: TokenLogprob(
                token: token, logprob: Float(Double(chosen) - normalizer),
                rank: 1 + Int(mk_count_greater(row, width, chosen))),
            top: zip(indices, values).enumerated().map { position, entry in
                TokenLogprob(token: entry.0, logprob: Float(Double(entry.1) - normalizer), rank: position + 1)
            })
    }
}
