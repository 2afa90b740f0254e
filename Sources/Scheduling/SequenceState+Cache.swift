internal import KVCache

/// What a sequence does with the cache, in the order of its life.
extension SequenceState {
    /// Takes the blocks for all present tokens, with as much known content as there is; false when they are not free.
    mutating func admit(in cache: inout KVCacheManager, reserve: Int) -> Bool {
        let computed = cache.admit(
            keys, &blocks, positions: tokenCount, reserve: reserve, reuse: readsCache)
        guard let computed else { return false }
        computedCount = computed
        if cachedCount == nil { cachedCount = computed }
        status = .running
        return true
    }

    /// Puts shared blocks in the place of duplicates; returns the tokens that are to be computed.
    mutating func settle(in cache: inout KVCacheManager) -> Int {
        cache.settle(&blocks)
        return pendingCount
    }

    mutating func grow(in cache: inout KVCacheManager) -> Bool { cache.grow(&blocks, positions: tokenCount) }

    mutating func preempt(in cache: inout KVCacheManager) {
        cache.release(keys, &blocks, computed: computedCount)
        computedCount = 0
        preemptions += 1
        status = .waiting
    }

    /// Takes over what others computed since, where that saves anything.
    private mutating func advance(in cache: inout KVCacheManager) {
        guard pendingCount > 1, readsCache else { return }
        let before = computedCount
        computedCount = cache.advance(keys, &blocks, computed: computedCount, positions: tokenCount)
        if preemptions == 0 { cachedCount = (cachedCount ?? 0) + computedCount - before }
    }

    /// Adds a run of tokens to a step and counts them as computed; returns what the tenant is charged for it.
    mutating func compute(
        in cache: inout KVCacheManager, _ chunks: ChunkLimit, isAlone: Bool, _ step: inout ScheduledStep
    ) -> Int {
        advance(in: &cache)
        // What was found is free.
        chargedCount = max(chargedCount, computedCount)
        let count = chunk(chunks, isAlone: isAlone, step)
        guard count > 0 else { return 0 }
        let isPrefill = pendingCount > 1
        let start = computedCount
        computedCount += count
        step.add(
            .init(id: id, slot: ticket.slot, start: start, count: count, reachesEnd: computedCount == tokenCount),
            isPrefill: isPrefill, wantsAllLogits: wantsAllLogits)
        cache.register(
            keys, &blocks, computed: computedCount, includingTail: isPrefill && computedCount == tokenCount)
        return charge(upTo: computedCount)
    }

    /// Tokens of this sequence that a step has room for.
    func chunk(_ chunks: ChunkLimit, isAlone: Bool, _ step: ScheduledStep) -> Int {
        chunks.tokens(
            pending: pendingCount, computed: computedCount, wantsAllLogits: wantsAllLogits, isAlone: isAlone, in: step)
    }

    /// The price of tokens computed for the first time: 1 for a prompt's, 2 for an output's.
    private mutating func charge(upTo end: Int) -> Int {
        guard end > chargedCount else { return 0 }
        let outputs = max(0, end - max(promptCount, chargedCount))
        defer { chargedCount = end }
        return end - chargedCount + outputs
    }
}
