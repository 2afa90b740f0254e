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

    /// Takes over what others computed since, where that saves anything.
    mutating func advance(in cache: inout KVCacheManager) {
        guard pendingCount > 1, readsCache else { return }
        let before = computedCount
        computedCount = cache.advance(keys, &blocks, computed: computedCount, positions: tokenCount)
        if preemptions == 0 { cachedCount = (cachedCount ?? 0) + computedCount - before }
    }

    mutating func grow(in cache: inout KVCacheManager) -> Bool { cache.grow(&blocks, positions: tokenCount) }

    /// Counts tokens up to `computed` as computed in this step.
    mutating func register(in cache: inout KVCacheManager, computed: Int) {
        let isPrefill = computed - computedCount > 1
        computedCount = computed
        cache.register(keys, &blocks, computed: computed, includingTail: isPrefill && computed == tokenCount)
    }

    mutating func preempt(in cache: inout KVCacheManager) {
        cache.release(keys, &blocks, computed: computedCount)
        computedCount = 0
        preemptions += 1
        status = .waiting
    }

    mutating func append(_ token: Int32) { keys.append(token) }
}
