import Dispatch
internal import KVCache
import Models
import Synchronization

/// The registry's account in the memory ledger and its place in the KV cache, both of which the engine thread keeps.
struct AdapterMemory: Sendable {
    let inbox: Inbox<EngineMessage>
    let cache: KVCacheConfiguration
    let maxModelLength: Int
    /// Most tokens of one step.
    let maxBatchedTokens: Int

    /// Most bytes that adapters can have together.
    var limit: Int { cache.bytesForOthers }

    /// Waits for the engine thread between two steps; false when the bytes cannot be had.
    func reserve(_ bytes: Int) throws(EngineError) -> Bool { try ask { .chargeAdapters(bytes, $0) } }

    func release(_ bytes: Int) { inbox.post(.refundAdapters(bytes)) }

    private func ask<T: Sendable>(_ message: (Answer<T>) -> EngineMessage) throws(EngineError) -> T {
        let answer = Answer<T>()
        guard inbox.post(message(answer)) else { throw .shuttingDown }
        return answer.wait()
    }

    // MARK: Virtual tokens

    /// Whether the cache could ever hold so many beside the longest sequence.
    func fitsPrefix(positions: Int) -> Bool { cache.blocks(for: positions) <= cache.blocksForPrefixes }

    /// Bytes of the blocks of an adapter's virtual tokens, when they are in the cache.
    func cacheBytes(_ prefix: PrefixID?, _ virtual: VirtualTokens?) -> Int {
        prefix == nil ? 0 : cache.blocks(for: virtual?.count ?? 0) * cache.blockBytes
    }

    /// Takes blocks; nil when they cannot be had now.
    func installPrefix(_ id: PrefixID, positions: Int) throws(EngineError) -> KVCacheManager.Installed? {
        try ask { .installPrefix(id, positions: positions, $0) }
    }

    func releasePrefix(_ id: PrefixID) { inbox.post(.releasePrefix(id)) }

    /// Computes a soft prompt's keys and values into blocks, a part at a time, so that others go on between.
    func compute(_ embeddings: InputEmbeddings, in blocks: [Int32]) throws(EngineError) {
        let step = min(maxBatchedTokens, 64)
        for first in stride(from: 0, to: embeddings.count, by: step) {
            let part = PrefixPart(
                embeddings: embeddings, positions: first..<min(first + step, embeddings.count), blocks: blocks)
            if let problem = try ask({ .computePrefix(part, $0) }) { throw .failed(problem) }
        }
    }

    /// An answer from another thread.
    final class Answer<Value: Sendable>: Sendable {
        private let value = Mutex<Value?>(nil)
        private let signal = DispatchSemaphore(value: 0)

        func give(_ answer: Value) {
            value.withLock { $0 = answer }
            signal.signal()
        }

        func wait() -> Value {
            while true {
                signal.wait()
                if let value = value.withLock({ $0 }) { return value }
            }
        }
    }
}

/// Some positions of a soft prompt that are to be computed for all requests to come.
struct PrefixPart: Sendable {
    let embeddings: InputEmbeddings
    let positions: Range<Int>
    /// Those of all positions from 0 on.
    let blocks: [Int32]
}
