import Adapters
import Foundation
internal import KVCache
import Models
import Synchronization

/// From a folder to a version in memory; on the registry's queue.
extension AdapterRegistry {
    /// Reads an adapter and puts it under its name.
    ///
    /// - Parameter held: what the same request has already, which cannot make room.
    func read(
        _ name: String, path: String, for call: AdapterCall, holding held: [AdapterVersion] = []
    ) throws -> AdapterVersion {
        let reading = Reading(name: name, call: call, held: held)
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
        try reserve(bytes, reading)
        let memory = memory
        let prefix: PrefixID?
        do {
            prefix = try install(loaded, packed, reading)
        } catch {
            memory.release(bytes)
            throw error
        }
        let text = text
        var information = AdapterInformation(
            name: name, path: path, kind: loaded.kind.rawValue.lowercased(), ranks: loaded.effects.ranks,
            digest: loaded.digest.description, byteCount: bytes + memory.cacheBytes(prefix, packed.virtualTokens),
            isActivated: loaded.activation != .always, created: Clock.unixSeconds)
        information.virtualTokens = packed.virtualTokens?.count ?? 0
        information.taskCount = packed.virtualTokens?.taskCount ?? 1
        information.vocabularySize = packed.vocabularySize
        information.loadSeconds = begin.duration(to: .now) / .seconds(1)
        recorder.adapterLoaded(name, seconds: information.loadSeconds)
        let version = AdapterVersion(
            information, packed: packed, activation: loaded.activation, prefix: prefix,
            encode: { text.encode($0, addSpecialTokens: false) },
            onRelease: {
                if let prefix { memory.releasePrefix(prefix) }
                memory.release(bytes)
            })
        guard shelf.withLock({ $0.put(version, for: call) }) else { throw EngineError.unknownAdapter(name) }
        return version
    }

    /// What is read, for whom, and what that one holds.
    private struct Reading {
        let name: String
        let call: AdapterCall
        let held: [AdapterVersion]

        var heldBytes: Int { held.reduce(0) { $0 + $1.information.byteCount } }

        /// The adapters that must be in memory together.
        var subject: String {
            held.isEmpty
                ? "The adapter '\(name)' needs"
                : "The adapters \((held.map(\.information.name) + [name]).sorted()) of one request need"
        }
    }

    /// Books memory, giving up adapters that nobody uses; waits a while for those that requests still hold.
    private func reserve(_ bytes: Int, _ reading: Reading) throws(EngineError) {
        try checkRoom(bytes, reading)
        try waitForMemory(bytes, reading) { () throws(EngineError) in try memory.reserve(bytes) ? true : nil }
    }

    @discardableResult
    private func waitForMemory<T>(
        _ bytes: Int, _ reading: Reading, _ attempt: () throws(EngineError) -> T?
    ) throws(EngineError) -> T {
        try waitForMemory(bytes, reading.name, reading.call, holding: reading.held, attempt)
    }

    /// Refuses what waiting cannot help.
    private func checkRoom(_ bytes: Int, _ reading: Reading) throws(EngineError) {
        let needed = bytes + reading.heldBytes
        guard needed <= memory.limit else {
            throw .invalidRequest(
                parameter: "lora_path",
                message: """
                    \(reading.subject) \(needed) bytes, but --cache-memory has only \(memory.limit) beside the \
                    longest sequence. Raise --cache-memory, or lower --max-model-len.
                    """)
        }
    }

    // MARK: Virtual tokens

    /// Brings what the adapter puts before prompts into the cache, if that is where it belongs.
    private func install(_ loaded: LoadedAdapter, _ packed: any PackedAdapter, _ reading: Reading) throws -> PrefixID? {
        guard let virtual = packed.virtualTokens else { return nil }
        guard virtual.count < memory.maxModelLength else {
            throw EngineError.invalidRequest(
                parameter: "lora_path",
                message: """
                    The adapter '\(reading.name)' puts \(virtual.count) virtual tokens before the prompt, which leaves nothing of \
                    the context length of \(memory.maxModelLength).
                    """)
        }
        switch virtual {
        case .prefix:
            guard let values = loaded.effects.prefix else { return nil }
            return try install(packed, reading) { blocks in
                try runner.writePrefix(values, to: blocks)
                // A file that was written into meanwhile is not what was checked.
                guard loaded.currentDigest() == loaded.digest else {
                    throw EngineError.invalidRequest(
                        parameter: "lora_path", message: "The adapter '\(reading.name)' changed while it was loaded.")
                }
            }
        case .embeddings(let tasks):
            guard precomputesPrompts, tasks.count == 1 else { return nil }
            return try install(packed, reading) { try memory.compute(tasks[0], in: $0) }
        }
    }

    /// Takes blocks for the virtual tokens and has them written, unless the same content is there already.
    private func install(_ packed: any PackedAdapter, _ reading: Reading, write: ([Int32]) throws -> Void) throws
        -> PrefixID
    {
        let id = PrefixID(embeddings.number(of: EmbeddingContent(digest: packed.digest.bytes)))
        let positions = packed.virtualTokens?.count ?? 0
        guard memory.fitsPrefix(positions: positions) else {
            throw EngineError.invalidRequest(
                parameter: "lora_path",
                message: """
                    The adapter '\(reading.name)' puts \(positions) virtual tokens before the prompt, for which --cache-memory has \
                    no room beside the longest sequence. Raise --cache-memory, or lower --max-model-len.
                    """)
        }
        let bytes = memory.cacheBytes(id, packed.virtualTokens)
        try checkRoom(packed.byteCount + bytes, reading)
        let installed = try waitForMemory(bytes, reading) { () throws(EngineError) in
            try memory.installPrefix(id, positions: positions)
        }
        guard installed.isNew else { return id }
        do {
            try write(installed.blocks)
        } catch {
            memory.releasePrefix(id)
            throw error
        }
        return id
    }
}

/// Packing touches nothing that steps use, and prefixes are written to blocks that no step uses; so the registry may do
/// it while the engine thread executes them.
struct RunnerAccess: @unchecked Sendable {
    private let runner: any ModelRunner

    init(_ runner: any ModelRunner) { self.runner = runner }

    var catalog: ModelCatalog { runner.catalog }
    func pack(_ adapter: LoadedAdapter) throws -> any PackedAdapter { try runner.pack(adapter) }
    func writePrefix(_ prefix: KeyValuePrefix, to blocks: [Int32]) throws { try runner.writePrefix(prefix, to: blocks) }
}
