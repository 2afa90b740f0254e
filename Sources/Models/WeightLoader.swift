import Checkpoints
import Compute

/// Takes a checkpoint's tensors one by one into the kernels' formats, checks names and shapes, and counts progress.
///
/// What is left over in the end and not known to be superfluous is an error: a tensor that nobody uses is a part of the
/// model that would be silently missing.
final class WeightLoader {
    let source: ModelSource
    let pool: WorkerPool
    /// The type of tables and of what adapters bring.
    let storage: StorageType
    let formats: WeightFormats
    private var taken: Set<String> = []
    private(set) var parameterCount = 0
    private(set) var weightBytes = 0
    private let totalBytes: Int
    /// What the checkpoint leaves out at the beginning of names.
    private let omitted: String
    private var loadedBytes = 0
    /// Nil when none is wanted.
    private let cache: WeightCache?
    /// The last layer that was compressed, for its memory.
    private var spare: PackedLinear?
    private var compresses: Bool

    /// - Parameters:
    ///   - base: what most names begin with; checkpoints of the model without its head leave it out.
    ///   - embedding: name of a module that every checkpoint has.
    init(_ source: ModelSource, pool: WorkerPool, base: String, embedding: String) {
        self.source = source
        self.pool = pool
        storage = source.dtype == .bfloat16 ? .bfloat16 : .float32
        formats = WeightFormats(
            source.quantization, source.dtype, source.kernels, compresses: source.compressesWeights)
        compresses = formats.compresses
        totalBytes = max(1, source.tensors.byteCount)
        let weight = embedding + ".weight"
        let isShort =
            !source.tensors.contains(weight) && source.tensors.contains(String(weight.dropFirst(base.count)))
        omitted = isShort ? base : ""
        if let folder = source.weightCache {
            cache = WeightCache(folder: folder, source, formats, storage)
        } else {
            cache = nil
        }
    }

    /// Linear layers with the same input, side by side.
    func fused(inputs: Int, _ parts: [DecoderModules.Linear]) throws -> PackedLinear {
        try fused(inputs: inputs, parts, formats.layers)
    }

    /// The output head.
    func head(inputs: Int, _ head: DecoderModules.Linear) throws -> PackedLinear {
        try fused(inputs: inputs, [head], formats.head)
    }

    private func fused(
        inputs: Int, _ parts: [DecoderModules.Linear], _ format: WeightFormat
    ) throws -> PackedLinear {
        let outputs = parts.reduce(0) { $0 + $1.outputs }
        let key = "side by side: " + parts.map(\.name).joined(separator: ", ")
        if let layer = cache?.layer(key, inputs: inputs, outputs: outputs, format, pool) {
            var column = 0
            for part in parts {
                try pass(part, at: .columns(from: column), layer)
                column += part.outputs
            }
            return kept(layer, key)
        }
        let layer = try PackedLinear(inputs: inputs, outputs: outputs, format: format, reusing: spare)
        var column = 0
        for part in parts {
            try take(part, at: .columns(from: column), into: layer)
            column += part.outputs
        }
        return kept(try finished(layer), key)
    }

    /// The gate and up matrices of a gated feed-forward layer.
    func gated(
        inputs: Int, _ gate: DecoderModules.Linear, _ up: DecoderModules.Linear
    ) throws -> PackedLinear {
        let key = "alternating: \(gate.name), \(up.name)"
        let outputs = PackedLinear.gatedOutputs(columns: gate.outputs)
        if let layer = cache?.layer(key, inputs: inputs, outputs: outputs, formats.layers, pool) {
            try pass(gate, at: .gate, layer)
            try pass(up, at: .up, layer)
            return kept(layer, key)
        }
        let layer = try PackedLinear.gated(
            inputs: inputs, columns: gate.outputs, format: formats.layers, reusing: spare)
        try take(gate, at: .gate, into: layer)
        try take(up, at: .up, into: layer)
        return kept(try finished(layer), key)
    }

    private func kept(_ layer: PackedLinear, _ key: String) -> PackedLinear {
        cache?.keep(layer, key)
        weightBytes += layer.byteCount
        return layer
    }

    /// The layer in the form in which it stays.
    private func finished(_ layer: PackedLinear) throws -> PackedLinear {
        spare = nil
        guard compresses else { return layer }
        let compressed = try layer.compressed(pool: pool)
        compresses = compressed.isSmaller(than: layer)
        guard compresses else { return try layer.fitted() }
        spare = layer
        return compressed
    }

    /// Checks a part whose weights the cache had; its bias is not there.
    private func pass(
        _ part: DecoderModules.Linear, at placement: PackedLinear.Placement, _ layer: PackedLinear
    ) throws {
        done(try tensor(part.name + ".weight", [part.outputs, layer.inputs]))
        try takeBias(part, at: placement, into: layer)
    }

    private func take(
        _ part: DecoderModules.Linear, at placement: PackedLinear.Placement, into layer: PackedLinear
    ) throws {
        let weight = try tensor(part.name + ".weight", [part.outputs, layer.inputs])
        if let base = weight.bytes.baseAddress {
            layer.pack(base, type: weight.storage, rows: part.outputs, at: placement, pool: pool)
        }
        done(weight)
        try takeBias(part, at: placement, into: layer)
    }

    private func takeBias(
        _ part: DecoderModules.Linear, at placement: PackedLinear.Placement, into layer: PackedLinear
    ) throws {
        guard part.hasBias else { return }
        let bias = try tensor(part.name + ".bias", [part.outputs])
        if let base = bias.bytes.baseAddress {
            try layer.setBias(base, type: bias.storage, count: part.outputs, at: placement)
        }
        done(bias)
    }

    /// A vector in float.
    func vector(_ name: String, count: Int) throws -> FloatBuffer {
        let tensor = try tensor(name, [count])
        let buffer = try FloatBuffer(count: count)
        if let base = tensor.bytes.baseAddress { tensor.storage.convert(base, to: buffer.values, count: count) }
        weightBytes += count * 4
        done(tensor)
        return buffer
    }

    /// A table of rows, in the model's storage type.
    func table(_ name: String, rows: Int, columns: Int) throws -> EmbeddingTable {
        let tensor = try tensor(name, [rows, columns])
        let known = cache?.table(name, byteCount: rows * columns * storage.byteCount, pool)
        let table =
            try known.map { EmbeddingTable($0, rows: rows, columns: columns, storage: storage) }
            ?? EmbeddingTable(tensor, rows: rows, columns: columns, storage: storage, pool: pool)
        cache?.keep(table, name)
        weightBytes += rows * columns * storage.byteCount
        done(tensor)
        return table
    }

    /// Refuses tensors that nobody took, except those for which `isIgnored` is true.
    func finish(isIgnored: (String) -> Bool) throws {
        let left = source.tensors.names.filter { !taken.contains($0) && !isIgnored($0) }.sorted()
        guard let first = left.first else {
            spare = nil
            cache?.write(pool)
            return source.progress(1)
        }
        throw CheckpointError(
            .unsupported, file: source.tensors.path, subject: "tensor \(CheckpointError.quoted(first))",
            "does not belong to a model of type \(source.config.modelType) with this configuration"
                + (left.count > 1 ? "; nor do \(left.count - 1) others" : ""),
            advice: "config.json and the weights do not belong together, or the model uses something not supported")
    }

    private func tensor(_ name: String, _ shape: [Int]) throws -> TensorView {
        let stored = name.hasPrefix(omitted) ? String(name.dropFirst(omitted.count)) : name
        let view = try source.tensors.tensor(stored, shape: shape)
        taken.insert(stored)
        parameterCount += view.count
        return view
    }

    private func done(_ tensor: TensorView) {
        source.tensors.release(tensor.name)
        loadedBytes += tensor.bytes.count
        source.progress(min(1, Double(loadedBytes) / Double(totalBytes)))
    }
}

extension TensorView {
    /// The kernels' name for the element type; `WeightLoader` has ruled out all others.
    var storage: StorageType {
        switch dtype {
        case .bfloat16: .bfloat16
        case .float16: .float16
        default: .float32
        }
    }
}
