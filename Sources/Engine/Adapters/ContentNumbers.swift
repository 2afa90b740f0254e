import Adapters
internal import KVCache
import Models
import Synchronization

/// Numbers that stand for contents in the keys of the prefix cache: the same content has the same number, and another
/// content never has it.
final class ContentNumbers<Content: Hashable & Sendable>: Sendable {
    private struct State {
        var numbers: [Content: UInt64] = [:]
        /// 0 stands for nothing: the base model.
        var next: UInt64 = 1
    }

    /// Contents that are remembered. Clients choose scales and bring embeddings, so there is no end to them; one that
    /// was forgotten gets a new number, and only finds nothing of what was computed with it before.
    private static var limit: Int { 65_536 }

    private let state = Mutex(State())

    func number(of content: Content) -> UInt64 {
        state.withLock { state in
            if let number = state.numbers[content] { return number }
            if state.numbers.count >= Self.limit { state.numbers.removeAll() }
            defer { state.next += 1 }
            state.numbers[content] = state.next
            return state.next
        }
    }
}

/// Sets of adapters with scales.
typealias AdapterStates = ContentNumbers<[AdapterMember]>

struct AdapterMember: Hashable, Sendable {
    let digest: [UInt8]
    let scale: UInt32

    init(_ term: AdapterTerm) {
        digest = term.adapter.digest.bytes
        scale = term.scale.bitPattern
    }
}

/// What stands before or in prompts without being tokens: one task of an adapter, or a request's embeddings.
typealias EmbeddingNumbers = ContentNumbers<EmbeddingContent>

struct EmbeddingContent: Hashable, Sendable {
    let digest: [UInt8]
    var task = 0
}
