package import KVCache

/// Limits that the scheduler keeps in every step, and in which order it serves.
package struct SchedulerConfiguration: Sendable {
    /// Most sequences that run at once.
    package var maxSequences: Int
    /// Most tokens in one step.
    package var maxBatchedTokens: Int
    /// Most tokens in one step of sequences that want the logits of all their tokens: bounds the memory for logits.
    package var maxPromptLogits = Int.max
    /// Most tokens of one prompt in one step, unless its sequence is alone; 0 is no limit (vLLM's rule).
    package var longPrefillThreshold = 0
    /// Most tokens of prompts in a step that also gives running sequences their next token; 0 is no limit.
    package var maxMixedPrefillTokens = 0
    /// Share of the blocks that stays free when a sequence joins others that run, so that these can grow.
    package var watermark = 0.0
    package var policy = SchedulingPolicy.fcfs
    /// Nanoseconds of waiting that outweigh one level of priority.
    package var nanosecondsPerPriority: Int64 = 10_000_000_000
    /// Shares of tenants under `fair`; 1 for those not named.
    package var tenantWeights: [String: Double] = [:]
    package var cache: KVCacheConfiguration

    package init(maxSequences: Int, maxBatchedTokens: Int, cache: KVCacheConfiguration) {
        self.maxSequences = maxSequences
        self.maxBatchedTokens = maxBatchedTokens
        self.cache = cache
    }
}
