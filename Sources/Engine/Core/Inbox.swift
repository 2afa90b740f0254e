import Dispatch
import Synchronization

/// Messages from any thread to the engine thread, which sleeps here while there is nothing to do.
final class Inbox<Message: Sendable>: Sendable {
    private struct State {
        var messages: [Message] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    private let signal = DispatchSemaphore(value: 0)

    /// Leaves a message; false when nobody reads any more.
    @discardableResult
    func post(_ message: Message) -> Bool {
        let (isOpen, isFirst) = state.withLock { state in
            guard !state.isClosed else { return (false, false) }
            state.messages.append(message)
            return (true, state.messages.count == 1)
        }
        if isFirst { signal.signal() }
        return isOpen
    }

    /// Everything posted so far, without waiting.
    func drain() -> [Message] {
        state.withLock { state in
            defer { state.messages = [] }
            return state.messages
        }
    }

    /// Waits until something is posted or `limit` has passed; nil then. May return nothing when `drain` was faster.
    func wait(_ limit: Duration?) -> [Message]? {
        guard let limit else {
            signal.wait()
            return drain()
        }
        let nanoseconds = Int(min(limit / .nanoseconds(1), 1e17))
        guard signal.wait(timeout: .now() + .nanoseconds(nanoseconds)) == .success else { return nil }
        return drain()
    }

    /// Refuses further messages and returns those not yet read.
    func close() -> [Message] {
        state.withLock { $0.isClosed = true }
        return drain()
    }
}
