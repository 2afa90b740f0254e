internal import KVCache
import Sampling

/// A validated request on its way to the engine thread; everything slow about it is done.
struct Submission: Sendable {
    let key: RequestKey
    let id: String
    /// Empty when `promptInput` stands for it.
    let prompt: [Int32]
    let promptInput: EmbeddedInput?
    /// With `maxTokens` filled in.
    let sampling: SamplingParameters
    let maxTokens: Int
    /// Nil for the base model, also when the prompt does not invoke the adapter.
    let adapters: RequestAdapters?
    let adapterUse: AdapterUse?
    /// The adapters that the request asks for.
    let adapterNames: [String]
    let cacheSalt: String?
    let readsCache: Bool
    let priority: Int
    let tenant: String
    /// Decided once: preemption and batching never draw another.
    let seed: UInt64
    /// The request's bad words as token sequences.
    let badWords: [[Int32]]
    let arrived: ContinuousClock.Instant
    let continuation: GenerationStream.Continuation
}

extension Submission {
    /// Positions before the prompt's first token.
    var virtualCount: Int { adapters?.prompt?.count ?? 0 }

    /// Positions whose inputs are not tokens, in order.
    var embedded: [EmbeddedInput] {
        var inputs: [EmbeddedInput] = []
        if let prompt = adapters?.prompt, case .embeddings(let input) = prompt.content { inputs.append(input) }
        if let promptInput { inputs.append(promptInput) }
        return inputs
    }

    /// All positions before the output.
    var tokens: [Int32] {
        let missing = virtualCount + (promptInput?.positions.count ?? 0)
        return repeatElement(SequenceKeys.noToken, count: missing) + prompt
    }

    /// Positions of the prompt.
    var promptCount: Int { promptInput?.positions.count ?? prompt.count }
}

/// What other threads ask of the engine thread.
enum EngineMessage: Sendable {
    case submit(Submission)
    case abort(RequestKey)
    case abortNamed(String)
    /// Ends every request with this error.
    case abortAll(EngineError)
    /// Forgets all cached content.
    case resetPrefixCache(CheckedContinuation<Void, Never>)
    /// Books memory for adapters, or gives it back.
    case chargeAdapters(Int, AdapterMemory.Answer<Bool>)
    case refundAdapters(Int)
    /// Takes blocks of the cache for what an adapter puts before prompts, computes a part of it, or gives them back.
    case installPrefix(PrefixID, positions: Int, AdapterMemory.Answer<KVCacheManager.Installed?>)
    case computePrefix(PrefixPart, AdapterMemory.Answer<String?>)
    case releasePrefix(PrefixID)
    /// Checks the books between two steps: nil, or the first contradiction.
    case audit(CheckedContinuation<String?, Never>)
    /// Ends the thread after everything posted before.
    case stop
}
