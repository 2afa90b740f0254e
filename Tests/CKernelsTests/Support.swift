import CKernels

/// A small generator with a seed, so that a failure can be repeated.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        // splitmix64 (Steele, Lea, Flood 2014)
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func floats(_ count: Int, _ range: ClosedRange<Float> = -1...1) -> [Float] {
        (0..<count).map { _ in Float.random(in: range, using: &self) }
    }
}

/// Instruction sets that run here, without the reference.
var vectorSets: [mk_isa] {
    (1..<UInt32(mk_isa_count)).map { mk_isa($0) }.filter(mk_isa_available)
}

func kernels(_ isa: mk_isa) -> mk_kernels { mk_kernels_for(isa).pointee }
let reference = kernels(mk_isa_scalar)

func name(_ isa: mk_isa) -> String { String(cString: mk_isa_name(isa)) }

/// Greatest difference relative to the greatest magnitude of `expected`.
func relativeDifference(_ found: [Float], _ expected: [Float]) -> Float {
    let scale = max(expected.reduce(0) { max($0, abs($1)) }, .leastNormalMagnitude)
    return zip(found, expected).reduce(found.count == expected.count ? 0 : .infinity) { max($0, abs($1.0 - $1.1)) }
        / scale
}

/// Packed weights that keep their memory.
final class Packed {
    private let memory: UnsafeMutableRawPointer
    let packed: mk_packed

    /// The same for kernels that take any format.
    var weights: mk_weights {
        let format = packed.storage == mk_float32 ? mk_format_float32 : mk_format_bfloat16
        return mk_weights(data: packed.data, format: format, group: 0, n: packed.n, k: packed.k)
    }

    /// From row-major `[n][k]`.
    init(_ matrix: [Float], n: Int, k: Int, storage: mk_storage) {
        let bytes = mk_packed_bytes(storage, Int32(n), Int32(k))
        memory = .allocate(byteCount: bytes, alignment: 64)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
        mk_pack(memory, storage, Int32(k), 0, false, matrix, mk_float32, Int32(n))
        packed = mk_packed(data: memory, storage: storage, n: Int32(n), k: Int32(k))
    }

    deinit { memory.deallocate() }
}
