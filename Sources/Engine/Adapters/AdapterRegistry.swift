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
    private let runner: RunnerAccess
    let text: TextProcessor
    private let memory: AdapterMemory
    private let recorder: StatisticsRecorder
    private let states = AdapterStates()
    private let shelf = Mutex(AdapterShelf())
    /// Loading is one after another: two at once would only share the disk and the cores.
    private let queue = DispatchQueue(label: "martlet-adapters")
    private let reservedNames: Set<String>
    private let isRelieving = Atomic(false)

    init(
        _ runner: any ModelRunner, text: TextProcessor, reservedNames: [String], memory: AdapterMemory,
        recorder: StatisticsRecorder
    ) {
        self.runner = RunnerAccess(runner)
        self.text = text
        self.reservedNames = Set(reservedNames)
        self.memory = memory
        self.recorder = recorder
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
    /// - Throws: `EngineError.invalidRequest` with the reason when the name is taken or the files cannot be used.
    @discardableResult
    public func load(_ name: String, path: String, replacing: Bool = false) async throws -> AdapterInformation {
        guard !name.isEmpty, !reservedNames.contains(name) else {
            throw EngineError.invalidRequest(
                parameter: "lora_name", message: "The name '\(name)' is the model's own; choose another.")
        }
        return try await onQueue { registry in
            if !replacing, registry.contains(name) {
                throw EngineError.invalidRequest(
                    parameter: "lora_name",
                    message: "The adapter '\(name)' is loaded already; ask for it to be loaded in place to replace it.")
            }
            return try registry.read(name, path: path).information
        }
    }

    /// Reads an adapter again from where it was loaded; requests in flight finish with what they began with.
    ///
    /// - Throws: `.unknownAdapter`; what `load` throws, and then the name stands for what it stood for.
    @discardableResult
    public func reload(_ name: String) async throws -> AdapterInformation {
        try await onQueue { registry in
            guard let known = registry.shelf.withLock({ $0[name]?.information }) else {
                throw EngineError.unknownAdapter(name)
            }
            return try registry.read(name, path: known.path).information
        }
    }

    private func onQueue<T: Sendable>(_ body: @escaping @Sendable (AdapterRegistry) throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try body(self) }) }
        }
    }

    /// Sees to it that adapters are in memory, and stay there as long as the lease is held.
    ///
    /// - Throws: `.unknownAdapter`; what `load` throws, when the files of one that was given up have changed for the worse.
    public func prepare(_ names: [String]) async throws -> AdapterLease {
        var versions: [AdapterVersion] = []
        for name in names {
            if let version = shelf.withLock({ $0.use(name) }) {
                versions.append(version)
                continue
            }
            versions.append(
                try await onQueue { registry in
                    // Another request may have been faster.
                    if let version = registry.shelf.withLock({ $0.use(name) }) { return version }
                    guard let known = registry.shelf.withLock({ $0[name]?.information }) else {
                        throw EngineError.unknownAdapter(name)
                    }
                    return try registry.read(name, path: known.path)
                })
        }
        return AdapterLease(versions: versions)
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
        queue.async {
            self.isRelieving.store(false, ordering: .relaxed)
            _ = self.evictOne()
        }
    }

    private func evictOne() -> Bool {
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

    /// Takes the name away; memory is freed when the last request with the adapter has ended.
    public func unload(_ name: String) throws(EngineError) {
        guard shelf.withLock({ $0.remove(name) }) else { throw .unknownAdapter(name) }
    }

    /// On the queue.
    private func read(_ name: String, path: String) throws -> AdapterVersion {
        let loaded: LoadedAdapter
        let packed: any PackedAdapter
        let begin = ContinuousClock.now
        do {
            loaded = try AdapterLoader.load(folder: AdapterLocation.resolve(path), catalog: runner.catalog)
            packed = try runner.pack(loaded)
        } catch {
            throw EngineError.invalidRequest(parameter: "lora_path", message: "The adapter '\(name)': \(error)")
        }
        let bytes = packed.byteCount
        try reserve(bytes, for: name)
        let memory = memory
        let text = text
        var information = information(name, path, loaded, bytes)
        information.vocabularySize = packed.vocabularySize
        information.loadSeconds = begin.duration(to: .now) / .seconds(1)
        recorder.adapterLoaded(name, seconds: information.loadSeconds)
        let version = AdapterVersion(
            information, packed: packed, activation: loaded.activation,
            encode: { text.encode($0, addSpecialTokens: false) }, onRelease: { memory.release(bytes) })
        shelf.withLock { $0.put(version) }
        return version
    }

    /// Books memory, giving up adapters that nobody uses; waits a while for those that requests still hold.
    private func reserve(_ bytes: Int, for name: String) throws(EngineError) {
        guard bytes <= memory.limit else {
            throw .invalidRequest(
                parameter: "lora_path",
                message: """
                    The adapter '\(name)' needs \(bytes) bytes, but --cache-memory has only \(memory.limit) beside the \
                    longest sequence. Raise --cache-memory, or lower --max-model-len.
                    """)
        }
        let deadline = ContinuousClock.now + .seconds(60)
        while try !memory.reserve(bytes) {
            if evictOne() { continue }
            guard ContinuousClock.now < deadline else { throw .overloaded(retryAfter: 5) }
            Thread.sleep(forTimeInterval: 0.01)
        }
    }

    private func information(_ name: String, _ path: String, _ loaded: LoadedAdapter, _ bytes: Int)
        -> AdapterInformation
    {
        AdapterInformation(
            name: name, path: path, kind: loaded.kind.rawValue.lowercased(), ranks: loaded.effects.ranks,
            digest: loaded.digest.description, byteCount: bytes, isActivated: loaded.activation != .always,
            created: Clock.unixSeconds)
    }

    /// What a request gets: the content that the names stand for now, and from where on. Nil is the base model.
    ///
    /// - Parameter requiresInvocation: refuses a prompt in which an adapter stays switched off.
    func resolve(
        _ selections: [AdapterSelection], prompt: [Int32], requiresInvocation: Bool = false
    ) throws(EngineError) -> RequestAdapters? {
        guard !selections.isEmpty else { return nil }
        var versions: [AdapterVersion] = []
        for selection in selections {
            guard let version = shelf.withLock({ $0.use(selection.name) }) else {
                throw .unknownAdapter(selection.name)
            }
            guard selection.scale.isFinite, abs(selection.scale) <= 1e6 else {
                throw .invalidRequest(parameter: "adapters", message: "adapters: a scale must be a finite number.")
            }
            versions.append(version)
        }
        guard versions.count == 1 || versions.allSatisfy({ $0.activation == .always }) else {
            throw .invalidRequest(
                parameter: "adapters",
                message: "adapters: one that switches on at an invocation cannot be combined with others.")
        }
        if versions.count > 1 || selections.contains(where: { $0.scale != 1 }) {
            try checkCombination(zip(versions, selections).map { ($0, $1) })
        }
        if requiresInvocation { try checkInvocations(of: versions, in: prompt) }
        guard let start = versions[0].start(in: prompt) else { return nil }
        let terms = zip(versions, selections).map { AdapterTerm($0.packed, scale: Float($1.scale)) }
        return RequestAdapters(versions: versions, terms: terms, start: start, state: states.number(of: terms))
    }
}

extension AdapterRegistry {
    /// Refuses weights and combinations that have no defined meaning.
    private func checkCombination(_ chosen: [(version: AdapterVersion, selection: AdapterSelection)])
        throws(EngineError)
    {
        for (index, (version, selection)) in chosen.enumerated() {
            let footprint = version.packed.footprint
            guard selection.scale == 1 || footprint.isSum else {
                throw .invalidRequest(
                    parameter: "adapters",
                    message: "adapters: '\(selection.name)' replaces weights or their magnitudes, so it has no scale.")
            }
            for (other, earlier) in chosen[..<index] {
                guard let module = footprint.conflict(with: other.packed.footprint) else { continue }
                throw .invalidRequest(
                    parameter: "adapters",
                    message: "adapters: '\(earlier.name)' and '\(selection.name)' both change \(module), and at least "
                        + "one by more than an addition; what both together are is not defined.")
            }
        }
    }
}

/// Packing touches nothing that steps use, so the registry may do it while the engine thread executes them.
private struct RunnerAccess: @unchecked Sendable {
    private let runner: any ModelRunner

    init(_ runner: any ModelRunner) { self.runner = runner }

    var catalog: ModelCatalog { runner.catalog }
    func pack(_ adapter: LoadedAdapter) throws -> any PackedAdapter { try runner.pack(adapter) }
}

/// Adapters that stay in memory as long as this is held.
public struct AdapterLease: Sendable {
    let versions: [AdapterVersion]
}
