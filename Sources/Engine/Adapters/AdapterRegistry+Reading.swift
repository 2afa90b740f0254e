import Adapters
import Foundation
internal import KVCache
import Models
import Synchronization

/// From a folder to a version in memory; on the registry's queue.
extension AdapterRegistry {
    func read(_ name: String, path: String) throws -> AdapterVersion {
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
        let prefix: PrefixID?
        do {
            prefix = try install(loaded, packed, name)
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
        try waitForMemory { () throws(EngineError) in try memory.reserve(bytes) ? true : nil }
    }

    /// Tries until there is memory, giving up adapters that nobody uses, least recently used first.
    @discardableResult
    private func waitForMemory<T>(_ attempt: () throws(EngineError) -> T?) throws(EngineError) -> T {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            if let result = try attempt() { return result }
            if evictOne() { continue }
            guard ContinuousClock.now < deadline else { throw .overloaded(retryAfter: 5) }
            Thread.sleep(forTimeInterval: 0.01)
        }
    }

    // MARK: Virtual tokens

    /// Brings what the adapter puts before prompts into the cache, if that is where it belongs.
    private func install(_ loaded: LoadedAdapter, _ packed: any PackedAdapter, _ name: String) throws -> PrefixID? {
        guard let virtual = packed.virtualTokens else { return nil }
        guard virtual.count < memory.maxModelLength else {
            throw EngineError.invalidRequest(
                parameter: "lora_path",
                message: """
                    The adapter '\(name)' puts \(virtual.count) virtual tokens before the prompt, which leaves nothing of \
                    the context length of \(memory.maxModelLength).
                    """)
        }
        switch virtual {
        case .prefix:
            guard let values = loaded.effects.prefix else { return nil }
            return try install(packed, name) { blocks in
                try runner.writePrefix(values, to: blocks)
                // A file that was written into meanwhile is not what was checked.
                guard loaded.currentDigest() == loaded.digest else {
                    throw EngineError.invalidRequest(
                        parameter: "lora_path", message: "The adapter '\(name)' changed while it was loaded.")
                }
            }
        case .embeddings(let tasks):
            guard precomputesPrompts, tasks.count == 1 else { return nil }
            return try install(packed, name) { try memory.compute(tasks[0], in: $0) }
        }
    }

    /// Takes blocks for the virtual tokens and has them written, unless the same content is there already.
    private func install(_ packed: any PackedAdapter, _ name: String, write: ([Int32]) throws -> Void) throws
        -> PrefixID
    {
        let id = PrefixID(embeddings.key(of: EmbeddingContent(digest: packed.digest.bytes)))
        let positions = packed.virtualTokens?.count ?? 0
        guard memory.fitsPrefix(positions: positions) else {
            throw EngineError.invalidRequest(
                parameter: "lora_path",
                message: """
                    The adapter '\(name)' puts \(positions) virtual tokens before the prompt, for which --cache-memory has \
                    no room beside the longest sequence. Raise --cache-memory, or lower --max-model-len.
                    """)
        }
        let installed = try waitForMemory { () throws(EngineError) in
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
