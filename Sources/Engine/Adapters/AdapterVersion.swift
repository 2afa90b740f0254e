import Adapters
import Models

/// One loaded content under a name. Whoever holds it, a request or the registry, keeps it in memory: a request in flight
/// finishes with what it began with, whatever is loaded under the name meanwhile.
final class AdapterVersion: Sendable {
    let information: AdapterInformation
    let packed: any PackedAdapter
    let activation: AdapterActivation
    /// Tokens of an invocation that is given as a text.
    private let encode: @Sendable (String) -> [Int32]
    private let onRelease: @Sendable () -> Void

    init(
        _ information: AdapterInformation, packed: any PackedAdapter, activation: AdapterActivation,
        encode: @escaping @Sendable (String) -> [Int32], onRelease: @escaping @Sendable () -> Void
    ) {
        self.information = information
        self.packed = packed
        self.activation = activation
        self.encode = encode
        self.onRelease = onRelease
    }

    deinit { onRelease() }

    /// The first position with the adapter; nil when the prompt does not invoke it.
    func start(in prompt: [Int32]) -> Int? { activation.start(in: prompt, encode: encode) }
}

/// The adapters of one request, decided when it comes and never again.
struct RequestAdapters: Sendable {
    /// Held until the request ends.
    let versions: [AdapterVersion]
    let terms: [AdapterTerm]
    /// The first position that is computed with them.
    let start: Int
    /// Stands for their digests and scales.
    let state: UInt64

    /// Size of the vocabulary with the adapters' own tokens.
    var vocabularySize: Int { terms.reduce(0) { max($0, $1.adapter.vocabularySize) } }
}
