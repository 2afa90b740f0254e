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
    private let text: TextProcessor
    private let memory: AdapterMemory
    private let states = AdapterStates()
    private let state = Mutex(State())
    /// Loading is one after another: two at once would only share the disk and the cores.
    private let queue = DispatchQueue(label: "martlet-adapters")
    private let reservedNames: Set<String>

    private struct State {
        var versions: [String: AdapterVersion] = [:]
    }

    init(_ runner: any ModelRunner, text: TextProcessor, reservedNames: [String], memory: AdapterMemory) {
        self.runner = RunnerAccess(runner)
        self.text = text
        self.reservedNames = Set(reservedNames)
        self.memory = memory
    }

    /// The loaded adapters, by name.
    public var all: [AdapterInformation] {
        state.withLock { $0.versions.values.map(\.information) }.sorted { $0.name < $1.name }
    }

    public subscript(name: String) -> AdapterInformation? {
        state.withLock { $0.versions[name]?.information }
    }

    /// Loads the PEFT adapter in the folder `path` under `name`.
    ///
    /// - Parameter replacing: whether a loaded adapter of this name gives way.
    /// - Throws: `EngineError.invalidRequest` with the reason when the name is taken or the files cannot be used.
    @discardableResult
    public func load(_ name: String, path: String, replacing: Bool = false) async throws -> AdapterInformation {
        guard !name.isEmpty, !reservedNames.contains(name) else {
            throw EngineError.invalidRequest(
                parameter: "lora_name", message: "The name '\(name)' is the model's own; choose another.")
        }
        let version = try await withCheckedThrowingContinuation { continuation in
            queue.async {
                continuation.resume(with: Result { try self.read(name, path: path, replacing: replacing) })
            }
        }
        return version.information
    }

    /// Loads the adapter in a folder under the folder's path, unless something of this name is loaded already.
    func loadFolder(_ path: String) async throws {
        guard self[path] == nil else { return }
        guard MappedFile.isFolder(path) == true else { throw EngineError.unknownAdapter(path) }
        do {
            try await load(path, path: path)
        } catch {
            // Another caller may have been faster.
            if self[path] == nil { throw error }
        }
    }

    /// Takes the name away; memory is freed when the last request with the adapter has ended.
    public func unload(_ name: String) throws(EngineError) {
        guard state.withLock({ $0.versions.removeValue(forKey: name) }) != nil else {
            throw .unknownAdapter(name)
        }
    }

    private func read(_ name: String, path: String, replacing: Bool) throws -> AdapterVersion {
        if !replacing, self[name] != nil {
            throw EngineError.invalidRequest(
                parameter: "lora_name",
                message: "The adapter '\(name)' is loaded already; ask for it to be loaded in place to replace it.")
        }
        let loaded: LoadedAdapter
        let packed: any PackedAdapter
        do {
            loaded = try AdapterLoader.load(folder: path, catalog: runner.catalog)
            packed = try runner.pack(loaded)
        } catch {
            throw EngineError.invalidRequest(parameter: "lora_path", message: "The adapter '\(name)': \(error)")
        }
        let bytes = packed.byteCount
        guard memory.reserve(bytes) else {
            throw EngineError.invalidRequest(
                parameter: "lora_path",
                message: "The adapter '\(name)' needs \(bytes) bytes, more than --cache-memory has left.")
        }
        let memory = memory
        let text = text
        let version = AdapterVersion(
            information(name, path, loaded, bytes), packed: packed, activation: loaded.activation,
            encode: { text.encode($0, addSpecialTokens: false) }, onRelease: { memory.release(bytes) })
        state.withLock { $0.versions[name] = version }
        return version
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
    func resolve(_ selections: [AdapterSelection], prompt: [Int32]) throws(EngineError) -> RequestAdapters? {
        guard !selections.isEmpty else { return nil }
        var versions: [AdapterVersion] = []
        for selection in selections {
            guard let version = state.withLock({ $0.versions[selection.name] }) else {
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

/// The registry's account in the memory ledger, which the engine thread keeps.
struct AdapterMemory: Sendable {
    let inbox: Inbox<EngineMessage>

    /// Waits for the engine thread between two steps; false when the bytes cannot be had.
    func reserve(_ bytes: Int) -> Bool {
        let answer = Answer()
        guard inbox.post(.chargeAdapters(bytes, answer)) else { return false }
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
