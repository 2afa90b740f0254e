import Engine
import Sampling
import Synchronization
import Testing

/// Who gets adapters when not all fit, and what a name stands for when calls for it overlap.
@Suite struct AdapterWaitingTests {
    private final class Flag: Sendable {
        private let value = Mutex(false)

        var isSet: Bool { value.withLock { $0 } }
        func set() { value.withLock { $0 = true } }
    }

    /// Room for two of the demo's adapters (0.9 MB) beside the longest sequence (1.6 MB).
    private static let tight = 3_900_000

    /// Requests with two adapters each, of which one is common: who held one and waited for the other would wait for ever.
    @Test func twoAdaptersOfOneRequestAreTakenTogether() async throws {
        let folders = try AdapterFolders(6)
        let llm = try await folders.load(6, memory: Self.tight)
        #expect(llm.adapters.all.count(where: \.isResident) == 2)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for client in 0..<12 {
                group.addTask {
                    for round in 0..<4 {
                        let names = ["a\((client + round) % 6)", "a\((client + round + 1 + client % 4) % 6)"]
                        let lease = try await llm.adapters.prepare(names)
                        for name in names { #expect(llm.adapters[name]?.isResident == true) }
                        try await Task.sleep(for: .milliseconds(2))
                        withExtendedLifetime(lease) {}
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(await llm.engine.audit() == nil)
    }

    /// Adapters in use without a pause must not keep another one out.
    @Test func everyonesTurnComes() async throws {
        let folders = try AdapterFolders(4)
        let llm = try await folders.load(4, memory: Self.tight)
        let names = llm.adapters.all.filter(\.isResident).map(\.name)
        let absent = try #require(llm.adapters.all.first { !$0.isResident }?.name)
        let served = Flag()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for name in names {
                group.addTask {
                    // The next lease is there before the last one is let go, if it can be had at once.
                    var leases = [try await llm.adapters.prepare([name])]
                    while !served.isSet {
                        let next = Task { try await llm.adapters.prepare([name]) }
                        try await Task.sleep(for: .milliseconds(20))
                        leases = []
                        leases = [try await next.value]
                    }
                    withExtendedLifetime(leases) {}
                }
            }
            group.addTask {
                // Also when it fails: the others go on until then.
                defer { served.set() }
                try await Task.sleep(for: .milliseconds(50))
                _ = try await llm.adapters.prepare([absent])
            }
            try await group.waitForAll()
        }
        #expect(await llm.engine.audit() == nil)
    }

    @Test func whatCanNeverBeHeldTogetherIsRefused() async throws {
        let folders = try AdapterFolders(6)
        let llm = try await folders.load(6, memory: Self.tight)
        do {
            _ = try await llm.adapters.prepare((0..<6).map { "a\($0)" })
            Issue.record("more was held than there is room for")
        } catch EngineError.invalidRequest(_, let message) {
            #expect(message.contains("of one request need") && message.contains("--cache-memory"))
        }
        #expect(await llm.engine.audit() == nil)
    }

    /// Whoever stops waiting leaves the line, and the others come.
    @Test func theCancelledLeaveTheLine() async throws {
        let folders = try AdapterFolders(4)
        let llm = try await folders.load(4, memory: Self.tight)
        let all = llm.adapters.all
        var leases: [AdapterLease] = []
        for one in all where one.isResident { leases.append(try await llm.adapters.prepare([one.name])) }
        let absent = try #require(all.first { !$0.isResident }?.name)
        let waiting = Task { try await llm.adapters.prepare([absent]) }
        let behind = Task { try await llm.adapters.prepare([absent]) }
        try await Task.sleep(for: .milliseconds(50))
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        leases = []
        _ = try await behind.value
        #expect(llm.adapters[absent]?.isResident == true)
    }

    // MARK: One name, several calls

    /// Holds all memory, so that a load that begins now is under way until the leases are let go.
    private func hold(_ llm: LLM) async throws -> [AdapterLease] {
        var leases: [AdapterLease] = []
        for one in llm.adapters.all where one.isResident { leases.append(try await llm.adapters.prepare([one.name])) }
        return leases
    }

    @Test func unloadingCancelsALoadThatBeganBefore() async throws {
        let folders = try AdapterFolders(5)
        let llm = try await folders.load(4, memory: Self.tight)
        var leases = try await hold(llm)
        let loading = Task { try await llm.adapters.load("new", path: folders.path(4)) }
        // The name is known to the registry from the moment when the call has begun.
        while (try? llm.adapters.unload("new")) == nil { try await Task.sleep(for: .milliseconds(1)) }
        leases = []
        await #expect(throws: EngineError.unknownAdapter("new")) { try await loading.value }
        #expect(!llm.adapters.contains("new"))
        try await llm.adapters.load("new", path: folders.path(4))
        #expect(llm.adapters.contains("new") && leases.isEmpty)
        #expect(await llm.engine.audit() == nil)
    }

    @Test func unloadingWinsOverAReloadAndLosesToALaterLoad() async throws {
        let folders = try AdapterFolders(5)
        let llm = try await folders.load(4, memory: Self.tight)
        let name = try #require(llm.adapters.all.first { !$0.isResident }?.name)
        for loadsAgain in [false, true] {
            var leases = try await hold(llm)
            let reloading = Task { try await llm.adapters.reload(name) }
            let waiting = Task { try await llm.adapters.prepare([name]) }
            try await Task.sleep(for: .milliseconds(30))
            try llm.adapters.unload(name)
            let again = loadsAgain ? Task { try await llm.adapters.load(name, path: folders.path(4)) } : nil
            try await Task.sleep(for: .milliseconds(30))
            leases = []
            if let again {
                #expect(try await again.value.path == folders.path(4))
                // On a busy machine these may have begun after the load.
                _ = await (reloading.result, waiting.result)
                #expect(llm.adapters[name]?.path == folders.path(4) && leases.isEmpty)
            } else {
                await #expect(throws: EngineError.unknownAdapter(name)) { try await reloading.value }
                await #expect(throws: EngineError.unknownAdapter(name)) { _ = try await waiting.value }
                #expect(!llm.adapters.contains(name) && leases.isEmpty)
                try await llm.adapters.load(name, path: folders.path(0))
            }
        }
        #expect(await llm.engine.audit() == nil)
    }
}
