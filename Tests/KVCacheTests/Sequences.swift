import KVCache

@testable import KVCache

/// Sequences in a cache, driven as the scheduler drives them.
struct CacheBench {
    var cache: KVCacheManager
    var blocks: [Int: SequenceBlocks] = [:]
    var keys: [Int: SequenceKeys] = [:]
    var computed: [Int: Int] = [:]

    init(
        blockSize: Int = 4, blocks: Int = 16, isPrefixCachingEnabled: Bool = true, recordsEvents: Bool = false,
        blockBytes: Int = 100, budget: Int? = nil
    ) {
        cache = KVCacheManager(
            KVCacheConfiguration(
                blockSize: blockSize, blockCount: blocks, blockBytes: blockBytes, budget: budget,
                isPrefixCachingEnabled: isPrefixCachingEnabled, recordsEvents: recordsEvents))
    }

    var problem: String? { cache.inconsistency(with: blocks.values) }

    /// Admits a sequence in a step of its own and computes all of it; returns how much was cached, nil if it did not fit.
    mutating func run(_ id: Int, _ sequence: SequenceKeys, reserve: Int = 0, reuse: Bool = true) -> Int? {
        cache.beginStep()
        return runInStep(id, sequence, reserve: reserve, reuse: reuse)
    }

    /// The same, within the step that is being scheduled.
    mutating func runInStep(_ id: Int, _ sequence: SequenceKeys, reserve: Int = 0, reuse: Bool = true) -> Int? {
        var held = SequenceBlocks(blockSize: cache.blockSize)
        let found = cache.admit(sequence, &held, positions: sequence.count, reserve: reserve, reuse: reuse)
        guard let found else { return nil }
        cache.register(sequence, &held, computed: sequence.count, includingTail: true)
        blocks[id] = held
        keys[id] = sequence
        computed[id] = sequence.count
        return found
    }

    /// Adds generated tokens one by one, a step each.
    mutating func extend(_ id: Int, _ tokens: [Int32]) -> Bool {
        for token in tokens {
            cache.beginStep()
            guard var sequence = keys[id], var held = blocks[id] else { return false }
            cache.settle(&held)
            sequence.append(token)
            let fits = cache.grow(&held, positions: sequence.count)
            if fits {
                cache.register(sequence, &held, computed: sequence.count, includingTail: false)
                keys[id] = sequence
                computed[id] = sequence.count
            }
            blocks[id] = held
            guard fits else { return false }
        }
        return true
    }

    mutating func end(_ id: Int) {
        guard let sequence = keys[id], var held = blocks[id] else { return }
        cache.release(sequence, &held, computed: computed[id] ?? 0)
        blocks[id] = nil
        keys[id] = nil
        computed[id] = nil
    }
}

func sequence(_ tokens: some Sequence<Int>, salt: String? = nil) -> SequenceKeys {
    SequenceKeys(tokens: tokens.map(Int32.init), salt: salt)
}

/// A small seeded generator for tests (Steele et al. 2014).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
