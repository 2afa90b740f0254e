import Checkpoints
import Compute

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Packed weights of one checkpoint, kept in a file from one start to the next.
///
/// The file's name is a digest of all that its content depends on, so another state of the checkpoint, or other formats,
/// have another file. Whatever is wrong with the file, weights are then packed from the checkpoint.
final class WeightCache {
    private let path: String
    private let fingerprint: WeightFingerprint
    private let compresses: Bool
    private let note: @Sendable (String) -> Void
    /// Nil when there is no file, or not a good one.
    private var reader: WeightFileReader?
    private var writer: WeightFileWriter
    /// Whether all that was asked for so far came from the file.
    private var isComplete = true

    init(folder: String, _ source: ModelSource, _ formats: WeightFormats, _ storage: StorageType) {
        var parts = ["layout \(WeightFile.version)", "\(formats)", "\(storage)", source.config.modelType]
        parts += source.tensors.files.map(\.stamp).sorted()
        let digest = SHA256.digest(Array(parts.joined(separator: "\n").utf8))
        fingerprint = WeightFingerprint(digest: digest)
        let name = digest.prefix(16).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        path = folder + "/" + name + ".weights"
        compresses = formats.compresses
        note = source.note
        writer = WeightFileWriter(fingerprint)
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            reader = try WeightFileReader(path: path, fingerprint: fingerprint)
        } catch {
            refuse(error)
        }
    }

    private func refuse(_ error: any Error) {
        reader = nil
        note("\(path) \(error); the weights are packed from the checkpoint")
    }

    /// A layer without its bias, in `format` or compressed; nil when it must be packed.
    func layer(
        _ key: String, inputs: Int, outputs: Int, _ format: WeightFormat, _ pool: WorkerPool
    ) -> PackedLinear? {
        // Compression is left out where it does not pay.
        let formats = compresses && format == .bfloat16 ? [format, .compressedBfloat16] : [format]
        do {
            return found(try reader?.layer(key, inputs: inputs, outputs: outputs, formats: formats, pool))
        } catch {
            refuse(error)
            return found(nil)
        }
    }

    func table(_ key: String, byteCount: Int, _ pool: WorkerPool) -> Memory? {
        do {
            return found(try reader?.memory(key, byteCount: byteCount, pool))
        } catch {
            refuse(error)
            return found(nil)
        }
    }

    private func found<Content>(_ content: Content?) -> Content? {
        if content == nil { isComplete = false }
        return content
    }

    func keep(_ layer: PackedLinear, _ key: String) { writer.add(layer, key) }

    func keep(_ table: EmbeddingTable, _ key: String) { writer.add(table.memory, key) }

    /// Writes the file, unless it is there and good.
    func write(_ pool: WorkerPool) {
        guard !isComplete else { return }
        do { try writer.write(to: path, pool) } catch {
            note("\(path) \(error); the next start packs the weights again")
        }
    }
}
