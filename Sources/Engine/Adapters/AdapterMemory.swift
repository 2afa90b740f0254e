import Dispatch
import Synchronization

/// The registry's account in the memory ledger, which the engine thread keeps.
struct AdapterMemory: Sendable {
    let inbox: Inbox<EngineMessage>
    /// Most bytes that adapters can have together.
    let limit: Int

    /// Waits for the engine thread between two steps; false when the bytes cannot be had.
    func reserve(_ bytes: Int) throws(EngineError) -> Bool {
        let answer = Answer()
        guard inbox.post(.chargeAdapters(bytes, answer)) else { throw .shuttingDown }
        return answer.wait()
    }

    func release(_ bytes: Int) { inbox.post(.refundAdapters(bytes)) }

    /// A yes or no from another thread.
    final class Answer: Sendable {
        private let value = Mutex(false)
        private let signal = DispatchSemaphore(value: 0)

        func give(_ isYes: Bool) {
            value.withLock { $0 = isYes }
            signal.signal()
        }

        func wait() -> Bool {
            signal.wait()
            return value.withLock { $0 }
        }
    }
}
