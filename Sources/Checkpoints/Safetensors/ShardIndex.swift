/// `model.safetensors.index.json`: which file of a folder holds which tensor.
package struct ShardIndex: Sendable {
    /// Tensor name → file name, in the order of the file.
    package let shards: [(tensor: String, file: String)]
    /// The distinct file names in sorted order.
    package let files: [String]

    /// Most bytes of an index that are read.
    package static let maximumLength = 256_000_000

    /// Reads the index with content `bytes`; `path` is for messages.
    ///
    /// A file name with a folder part is refused, so that an index cannot point out of its folder.
    package init(_ bytes: UnsafeRawBufferPointer, path: String) throws(CheckpointError) {
        guard bytes.count <= Self.maximumLength else {
            throw CheckpointError(
                .malformed, file: path, "the index has \(bytes.count) bytes, at most \(Self.maximumLength) are read")
        }
        let map: [(tensor: String, file: String)]?
        do { map = try Self.weightMap(bytes.bindMemory(to: UInt8.self)) } catch { throw .json(error, in: path) }
        guard let map, !map.isEmpty else {
            throw CheckpointError(.malformed, file: path, subject: "field 'weight_map'", "is missing or empty")
        }
        var seen: Set<String> = []
        var names: Set<String> = []
        for (tensor, file) in map {
            guard seen.insert(tensor).inserted else {
                throw CheckpointError.tensor(tensor, in: path, .malformed, "the index names it twice")
            }
            guard Self.isPlainFileName(file) else {
                throw CheckpointError.tensor(
                    tensor, in: path, .malformed,
                    "its file is \(CheckpointError.quoted(file)), expected the name of a .safetensors file in the same folder"
                )
            }
            names.insert(file)
        }
        shards = map
        files = names.sorted()
    }

    private static func weightMap(
        _ bytes: UnsafeBufferPointer<UInt8>
    ) throws(JSONError) -> [(tensor: String, file: String)]? {
        var reader = JSONReader(bytes)
        reader.maximumDepth = 16
        var result: [(tensor: String, file: String)]?
        try reader.beginObject()
        var isFirst = true
        while let key = try reader.nextKey(isFirst: &isFirst) {
            guard key == "weight_map" else {
                try reader.skipValue()
                continue
            }
            var map = result ?? []
            try reader.beginObject()
            var isFirstTensor = true
            while let tensor = try reader.nextKey(isFirst: &isFirstTensor) { map.append((tensor, try reader.string())) }
            result = map
        }
        try reader.finish()
        return result
    }

    /// Whether `name` names a safetensors file and cannot lead out of its folder.
    private static func isPlainFileName(_ name: String) -> Bool {
        name.utf8.count <= 255 && name.hasSuffix(".safetensors") && !name.hasPrefix(".")
            && !name.utf8.contains { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") || $0 < 0x20 }
    }
}
