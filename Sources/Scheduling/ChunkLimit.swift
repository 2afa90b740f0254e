internal import KVCache

/// How many tokens of a sequence a step may compute: the token budget, and what keeps long prompts from holding up
/// those who only wait for their next token.
struct ChunkLimit: Sendable {
    let configuration: SchedulerConfiguration

    /// - Parameter isAlone: whether no other sequence runs or waits.
    /// - Returns: at least 1 and at most `pending`, or 0 when the step has no room left.
    func tokens(pending: Int, computed: Int, wantsAllLogits: Bool, isAlone: Bool, in step: ScheduledStep) -> Int {
        var limit = configuration.maxBatchedTokens - step.tokenCount
        if wantsAllLogits { limit = min(limit, configuration.maxPromptLogits - step.promptLogits) }
        if pending > 1 {
            if configuration.longPrefillThreshold > 0, !isAlone {
                limit = min(limit, configuration.longPrefillThreshold)
            }
            if configuration.maxMixedPrefillTokens > 0, step.hasDecodes {
                limit = min(limit, configuration.maxMixedPrefillTokens - step.prefillTokens)
            }
        }
        guard limit < pending else { return pending }
        // Chunks end where blocks end, so that the next one can go on with blocks that others have computed by then.
        let size = configuration.cache.blockSize
        let aligned = (computed + limit) / size * size - computed
        return max(0, aligned > 0 ? aligned : limit)
    }
}
