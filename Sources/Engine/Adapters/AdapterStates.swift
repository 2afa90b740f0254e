import Adapters
import Models
import Synchronization

/// Numbers that stand for sets of adapters with scales in the keys of the prefix cache: the same content always has the
/// same number, and another content never has it.
final class AdapterStates: Sendable {
    private struct Member: Hashable {
        let digest: [UInt8]
        let scale: UInt32
    }

    private let numbers = Mutex<[[Member]: UInt64]>([:])

    func number(of terms: [AdapterTerm]) -> UInt64 {
        let key = terms.map { Member(digest: $0.adapter.digest.bytes, scale: $0.scale.bitPattern) }
        return numbers.withLock { numbers in
            if let number = numbers[key] { return number }
            // 0 is the base model.
            let number = UInt64(numbers.count + 1)
            numbers[key] = number
            return number
        }
    }
}
