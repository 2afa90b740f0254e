internal import Adapters
import CKernels
import Checkpoints
import Compute

/// One low-rank change: A as it is stored, B in panels that lie like those of the fused layer.
struct AdapterPart {
    /// Where its vector begins among those of the group.
    let vectorOffset: Int
    let rank: Int
    let inputs: Int
    let scale: Float
    let place: ModulePlace
    /// `[rank][inputs]`.
    private let down: Memory
    private let downStorage: StorageType
    private let up: PackedLinear
    /// Whether the vector has a last element that stands for the bias.
    private let hasBias: Bool

    /// Elements of its vector: the rank, and one for the bias if there is one.
    var width: Int { rank + (hasBias ? 1 : 0) }
    var byteCount: Int { down.byteCount + up.byteCount }

    init(_ delta: LowRankDelta, vectorOffset: Int, at place: ModulePlace) throws {
        self.vectorOffset = vectorOffset
        self.place = place
        rank = delta.rank
        inputs = delta.down.shape[1]
        scale = Float(delta.scale)
        hasBias = delta.bias != nil
        (down, downStorage) = try Self.copy(delta.down)
        let storage: StorageType = delta.up.dtype == .bfloat16 && delta.bias == nil ? .bfloat16 : .float32
        up = try PackedLinear(inputs: rank + (hasBias ? 1 : 0), outputs: place.shift + place.outputs, storage: storage)
        try pack(delta)
    }

    private func pack(_ delta: LowRankDelta) throws {
        let outputs = place.outputs
        try delta.up.withBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            guard let bias = delta.bias else {
                return up.pack(base, type: delta.up.storage, rows: outputs, from: place.shift)
            }
            let joined = try FloatBuffer(count: outputs * (rank + 1))
            bias.withBytes { column in
                guard let column = column.baseAddress else { return }
                mk_append_column(
                    joined.values, base, delta.up.storage.kernelType, outputs, rank, column, bias.storage.kernelType)
            }
            up.pack(joined.values, type: .float32, rows: outputs, from: place.shift)
        }
    }

    /// A copy in a type that the kernels read: bfloat16 as it is, everything else as float32.
    private static func copy(_ tensor: TensorView) throws -> (Memory, StorageType) {
        let storage: StorageType = tensor.dtype == .bfloat16 ? .bfloat16 : .float32
        let memory = try Memory(byteCount: tensor.count * storage.byteCount)
        tensor.withBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            mk_convert(memory.pointer, storage.kernelType, base, tensor.storage.kernelType, tensor.count)
        }
        return (memory, storage)
    }

    /// The vectors of some tokens: `out[t] = weight * scale * A x[t]`, and the bias' share.
    func shrink(
        _ kernels: mk_tensor_kernels, _ input: UnsafePointer<Float>, stride: Int, tokens: Int, weight: Float,
        into out: UnsafeMutablePointer<Float>, outStride: Int
    ) {
        let factor = scale * weight
        kernels.shrink(
            down.pointer, downStorage.kernelType, Int32(rank), Int32(inputs), input, stride, Int32(tokens), factor, out,
            outStride)
        guard hasBias else { return }
        for token in 0..<tokens { out[token * outStride + rank] = factor }
    }

    /// Adds B times the vectors to those of some panels of outputs that the part touches.
    func expand(
        _ kernels: mk_tensor_kernels, _ vectors: UnsafePointer<Float>, stride: Int, tokens: Int, into out: OutputPanels
    ) {
        guard place.lane == out.lane else { return }
        let panels = place.panels.clamped(to: out.panels)
        guard !panels.isEmpty else { return }
        withUnsafePointer(to: up.packed) {
            kernels.expand(
                $0, Int32(panels.lowerBound - place.firstPanel), Int32(panels.upperBound - place.firstPanel), vectors,
                stride, Int32(tokens), out[panels.lowerBound], out.stride, out.panelStride)
        }
    }
}
