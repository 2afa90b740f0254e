import Adapters
import Models
import Synchronization

/// Numbers that stand for sets of adapters with scales in the keys of the prefix cache: the same content has the same
/// number, and another content never has it.
final class AdapterStates: Sendable {
    private struct Member: Hashable {
        let digest: [UInt8]
        let scale: UInt32
    }

    private struct State {
        var numbers: [[Member]: UInt64] = [:]
        /// 0 is the base model.
        var next: UInt64 = 1
    }

    /// Sets that are remembered. Clients choose scales, so there is no end to them; a set that was forgotten gets a new
    /// number, and only finds nothing of what it computed before.
    private static let limit = 65_536

    private let state = Mutex(State())

    func number(of terms: [AdapterTerm]) -> UInt64 {
        let key = terms.map { Member(digest: $0.adapter.digest.bytes, scale: $0.scale.bitPattern) }
        return state.withLock { state in
            if let number = state.numbers[key] { return number }
            if state.numbers.count >= Self.limit { state.numbers.removeAll() }
            defer { state.next += 1 }
            state.numbers[key] = state.next
            return state.next
        }
    }
}
