import Adapters
internal import KVCache
import Models

/// One loaded content under a name. Whoever holds it, a request or the registry, keeps it in memory: a request in flight
/// finishes with what it began with, whatever is loaded under the name meanwhile.
final class AdapterVersion: Sendable {
    let information: AdapterInformation
    let packed: any PackedAdapter
    let activation: AdapterActivation
    /// What it puts before prompts, where that is in the cache.
    let prefix: PrefixID?
    /// Tokens of an invocation that is given as a text.
    private let encode: @Sendable (String) -> [Int32]
    private let onRelease: @Sendable () -> Void

    init(
        _ information: AdapterInformation, packed: any PackedAdapter, activation: AdapterActivation,
        prefix: PrefixID?, encode: @escaping @Sendable (String) -> [Int32], onRelease: @escaping @Sendable () -> Void
    ) {
        self.information = information
        self.packed = packed
        self.activation = activation
        self.prefix = prefix
        self.encode = encode
        self.onRelease = onRelease
    }

    deinit { onRelease() }

    /// The first position with the adapter; nil when the prompt does not invoke it.
    func start(in prompt: [Int32]) -> Int? { activation.start(in: prompt, encode: encode) }
}
