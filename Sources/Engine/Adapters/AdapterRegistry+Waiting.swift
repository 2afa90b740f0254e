import Foundation
import Synchronization

/// How requests come to adapters that are not in memory, and adapters to memory.
///
/// Everything here that waits is on the registry's queue: one call at a time, in the order in which they came.
extension AdapterRegistry {
    /// How long memory is waited for while no adapter comes or goes.
    private static let patience = Duration.seconds(60)

    /// Sees to it that adapters are in memory, and stay there as long as the lease is held.
    ///
    /// Whoever holds a lease must not wait for another one: adapters that belong together are asked for together.
    ///
    /// - Throws: `.unknownAdapter`; `.overloaded` when all memory is in use for a minute; what `load` throws, when the files
    ///   of one that was given up have changed for the worse.
    public func prepare(_ names: [String]) async throws -> AdapterLease {
        if let lease = shelf.withLock({ $0.lease(names) }) { return lease }
        // Nobody waits for what will not come.
        if let unknown = shelf.withLock({ shelf in names.first { !shelf.isExpected($0) } }) {
            throw EngineError.unknownAdapter(unknown)
        }
        let call = shelf.withLock { $0.begin(names) }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                shelf.withLock { $0.line.append(.init(call: call, continuation: continuation)) }
                queue.async { self.serve(call) }
                if Task.isCancelled { self.leave(call) }
            }
        } onCancel: {
            leave(call)
        }
    }

    private func leave(_ call: AdapterCall) {
        finish(call, with: .failure(CancellationError()))
    }

    private func finish(_ call: AdapterCall, with result: Result<AdapterLease, any Error>) {
        let member = shelf.withLock { shelf in
            shelf.end(call)
            return shelf.line.leave(call)
        }
        member?.continuation.resume(with: result)
    }

    /// The turn of one who waits.
    private func serve(_ call: AdapterCall) {
        guard shelf.withLock({ $0.line[call] != nil }) else { return }
        let result = Result { try collect(call) }
        finish(call, with: result)
        serveWaiting()
    }

    private func collect(_ call: AdapterCall) throws -> AdapterLease {
        // What is there is held before room is made for the rest.
        var held: [String: AdapterVersion] = [:]
        for name in call.names { held[name] = shelf.withLock { $0.use(name) } }
        for name in call.names where held[name] == nil {
            guard let known = shelf.withLock({ $0[name]?.information }) else { throw EngineError.unknownAdapter(name) }
            held[name] = try read(name, path: known.path, for: call, holding: Array(held.values))
        }
        return AdapterLease(versions: Array(held.values))
    }

    /// Serves everyone who waits for nothing but what is in memory now.
    func serveWaiting() {
        let served = shelf.withLock { shelf in
            shelf.reopen()
            // Two parts of the shelf are used at the same time.
            var line = shelf.line
            shelf.line = AdapterLine()
            let served = line.serve { shelf.lease($0) }
            shelf.line = line
            for one in served { shelf.end(one.member.call) }
            return served
        }
        for one in served { one.member.continuation.resume(returning: one.lease) }
    }

    /// Tries until there is memory, giving up adapters that nobody uses, least recently used first; where all are in use
    /// some get no further requests, so that everyone's turn comes.
    @discardableResult
    func waitForMemory<T>(
        _ bytes: Int, _ name: String, _ call: AdapterCall, holding held: [AdapterVersion],
        _ attempt: () throws(EngineError) -> T?
    ) throws(EngineError) -> T {
        let names = Set(held.map(\.information.name))
        while true {
            if let result = try attempt() { return result }
            if evictOne() { continue }
            let lastChange = shelf.withLock { shelf in
                shelf.close(bytes, except: names)
                return shelf.isValid(call, for: name) ? shelf.lastChange : nil
            }
            guard let lastChange else { throw .unknownAdapter(name) }
            guard ContinuousClock.now < max(lastChange, call.began) + Self.patience else {
                throw .overloaded(retryAfter: 5)
            }
            Thread.sleep(forTimeInterval: 0.01)
        }
    }
}

/// Adapters that stay in memory as long as this is held.
public struct AdapterLease: Sendable {
    let versions: [AdapterVersion]
}
