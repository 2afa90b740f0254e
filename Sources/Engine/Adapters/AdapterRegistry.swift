import Adapters
import Checkpoints
import Foundation
import Models
import Synchronization

/// The adapters that requests can name: loaded and replaced while others are served.
///
/// Loading reads, checks and packs on a thread of its own; requests in flight are not held up. A name stands for one
/// content at a time; loading another under the same name leaves requests that run with the old one alone.
public final class AdapterRegistry: Sendable {
    let runner: RunnerAccess
    let text: TextProcessor
    let memory: AdapterMemory
    let recorder: StatisticsRecorder
    let states = AdapterStates()
    let embeddings = EmbeddingNumbers()
    /// Whether soft prompts are computed when they are loaded, and stay in the cache as long as their adapter.
    let precomputesPrompts: Bool
    let shelf = Mutex(AdapterShelf())
    /// Loading is one after another: two at once would only share the disk and the cores.
    let queue = DispatchQueue(label: "martlet-adapters")
    /// Giving up adapters for requests that lack memory does not wait for what is being loaded.
    private let relief = DispatchQueue(label: "martlet-adapters-relief")
    private let reservedNames: Set<String>
    private let isRelieving = Atomic(false)

    init(
        _ runner: any ModelRunner, text: TextProcessor, reservedNames: [String], memory: AdapterMemory,
        recorder: StatisticsRecorder, precomputesPrompts: Bool
    ) {
        self.runner = RunnerAccess(runner)
        self.text = text
        self.reservedNames = Set(reservedNames)
        self.memory = memory
        self.recorder = recorder
        self.precomputesPrompts = precomputesPrompts
    }

    /// The adapters that have names, sorted; also those that were given up to make room and come back when asked for.
    public var all: [AdapterInformation] {
        shelf.withLock { shelf in
            shelf.entries.values.map { entry in
                var information = entry.information
                information.isResident = entry.version != nil
                information.isPinned = entry.isPinned
                information.lastUsed = entry.lastUsed
                return information
            }
        }.sorted { $0.name < $1.name }
    }

    public subscript(name: String) -> AdapterInformation? { all.first { $0.name == name } }

    /// Whether the adapter has a name here, in memory or not.
    public func contains(_ name: String) -> Bool { shelf.withLock { $0[name] != nil } }

    /// Loads a PEFT adapter under `name`.
    ///
    /// - Parameters:
    ///   - path: its folder, or `org/adapter[@revision]` in the HuggingFace cache.
    ///   - replacing: whether a loaded adapter of this name gives way.
    /// - Throws: `EngineError.invalidRequest` with the reason when the name is taken or the files cannot be used;
    ///   `.unknownAdapter` when the name is unloaded meanwhile.
    @discardableResult
    public func load(_ name: String, path: String, replacing: Bool = false) async throws -> AdapterInformation {
        guard !name.isEmpty, !reservedNames.contains(name) else {
            throw EngineError.invalidRequest(
                parameter: "lora_name", message: "The name '\(name)' is the model's own; choose another.")
        }
        return try await onQueue(name) { registry, call in
            if !replacing, registry.contains(name) {
                throw EngineError.invalidRequest(
                    parameter: "lora_name",
                    message: "The adapter '\(name)' is loaded already; ask for it to be loaded in place to replace it.")
            }
            return try registry.read(name, path: path, for: call).information
        }
    }

    /// Reads an adapter again from where it was loaded; requests in flight finish with what they began with.
    ///
    /// - Throws: `.unknownAdapter`, also when it is unloaded meanwhile; what `load` throws, and then the name stands for what
    ///   it stood for.
    @discardableResult
    public func reload(_ name: String) async throws -> AdapterInformation {
        try await onQueue(name) { registry, call in
            guard let known = registry.shelf.withLock({ $0[name]?.information }) else {
                throw EngineError.unknownAdapter(name)
            }
            return try registry.read(name, path: known.path, for: call).information
        }
    }

    /// Loads in the order of the calls. One that unloads the name later than this call cancels it.
    private func onQueue<T: Sendable>(
        _ name: String, _ body: @escaping @Sendable (AdapterRegistry, AdapterCall) throws -> T
    ) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            shelf.withLock { shelf in
                let call = shelf.begin([name])
                queue.async {
                    let result = Result {
                        guard self.shelf.withLock({ $0.isValid(call, for: name) }) else {
                            throw EngineError.unknownAdapter(name)
                        }
                        return try body(self, call)
                    }
                    self.shelf.withLock { $0.end(call) }
                    continuation.resume(with: result)
                    self.serveWaiting()
                }
            }
        }
    }

    /// Keeps an adapter in memory, or lets it go like the others.
    public func pin(_ name: String, _ isPinned: Bool = true) throws(EngineError) {
        guard contains(name) else { throw .unknownAdapter(name) }
        shelf.withLock { $0.pin(name, isPinned) }
    }

    /// Gives up an adapter that nobody uses; for when requests lack memory.
    func relieve() {
        // The engine asks after every step that lacks memory; one answer at a time is enough.
        guard !isRelieving.exchange(true, ordering: .relaxed) else { return }
        relief.async {
            self.isRelieving.store(false, ordering: .relaxed)
            _ = self.evictOne()
        }
    }

    func evictOne() -> Bool {
        guard let evicted = shelf.withLock({ $0.evict() }) else { return false }
        recorder.adapterEvicted(evicted.information.name)
        return true
    }

    /// Loads the adapter in a folder or in the HuggingFace cache under its path, unless something of this name is loaded
    /// already.
    package func loadFolder(_ path: String) async throws {
        guard !contains(path) else { return }
        guard AdapterLocation.mayBePath(path) else { throw EngineError.unknownAdapter(path) }
        do {
            try await load(path, path: path)
        } catch {
            // Another caller may have been faster.
            if !contains(path) { throw error }
        }
    }

    /// Takes the name away, also from what is being loaded under it: of calls for one name the later wins. Memory is freed
    /// when the last request with the adapter has ended.
    public func unload(_ name: String) throws(EngineError) {
        guard shelf.withLock({ $0.remove(name) }) else { throw .unknownAdapter(name) }
    }
}
