import CKernels
import Testing

/// A weight format with its group, as tests name it.
struct Format: CustomTestStringConvertible, Sendable {
    let format: mk_format
    var group = 0

    static let all = [
        Format(format: mk_format_float32), Format(format: mk_format_bfloat16),
        Format(format: mk_format_bfloat16_compressed), Format(format: mk_format_int8),
        Format(format: mk_format_int4, group: 32), Format(format: mk_format_int4, group: 64),
    ]

    /// Formats whose results are the same on every instruction set.
    var isExact: Bool { format == mk_format_int8 || format == mk_format_int4 }

    var testDescription: String {
        ["float32", "bfloat16", "bfloat16 compressed", "int8", "int4 by \(group)"][Int(format.rawValue)]
    }
}

/// Memory aligned to a cache line.
final class Bytes {
    let pointer: UnsafeMutableRawPointer

    init(_ count: Int, filled: UInt8 = 0) {
        pointer = .allocate(byteCount: max(1, count), alignment: 64)
        pointer.initializeMemory(as: UInt8.self, repeating: filled, count: max(1, count))
    }

    deinit { pointer.deallocate() }
}

/// Weights of a linear layer that keep their memory.
final class Weights {
    private let memory: Bytes
    let weights: mk_weights
    /// Of compressed weights: pairs of inputs kept whole.
    private(set) var wholePairs = 0

    /// From row-major `[n][k]`; what is not written stays what clearing made it.
    init(_ matrix: [Float], n: Int, k: Int, _ format: Format) {
        let n = Int32(n)
        let k = Int32(k)
        let plain = format.format == mk_format_bfloat16_compressed ? mk_format_bfloat16 : format.format
        let panels = (n + 31) / 32
        let bytes = Bytes(mk_weights_bytes(plain, Int32(format.group), n, k), filled: 0xAA)
        var packed = mk_weights(data: bytes.pointer, format: plain, group: Int32(format.group), n: n, k: k)
        mk_clear_weights(&packed, 0, panels)
        mk_pack_weights(&packed, 0, false, matrix, mk_float32, n)
        guard plain != format.format else {
            memory = bytes
            weights = packed
            return
        }
        let regular = mk_weights_bytes(format.format, 0, n, k)
        let counts = withExtendedLifetime(bytes) { (0..<panels).map { mk_count_whole_pairs(&packed, $0) } }
        memory = Bytes(regular + counts.reduce(0) { $0 + mk_whole_pairs_bytes($1) }, filled: 0xAA)
        weights = mk_weights(data: memory.pointer, format: format.format, group: 0, n: n, k: k)
        var offset = regular
        for panel in 0..<panels {
            withExtendedLifetime(bytes) {
                withUnsafePointer(to: weights) { mk_compress_panel($0, &packed, panel, offset, counts[Int(panel)]) }
            }
            offset += mk_whole_pairs_bytes(counts[Int(panel)])
        }
        wholePairs = Int(counts.reduce(0, +))
    }

    /// Output column as the products see it.
    func column(_ column: Int) -> [Float] {
        var row = [Float](repeating: 0, count: Int(weights.k))
        withUnsafePointer(to: weights) { mk_unpack_weights($0, Int32(column), 0, weights.k, &row) }
        return row
    }
}

/// Rows prepared by one set of kernels for one format.
final class Rows {
    let bytes: Bytes
    let stride: Int
    let count: Int

    init(_ set: mk_linear_kernels, _ format: Format, _ values: [Float], k: Int) {
        count = values.count / k
        stride = set.row_bytes(format.format, Int32(k)) + 64
        bytes = Bytes(count * stride, filled: 0x55)
        values.withUnsafeBufferPointer { values in
            guard let base = values.baseAddress else { return }
            for row in 0..<count {
                set.prepare(format.format, base + row * k, Int32(k), bytes.pointer + row * stride)
            }
        }
    }
}

extension mk_linear_kernels {
    /// Products of some rows, `[row][n]`, with panels divided at `bounds`.
    func product(
        _ w: Weights, _ rows: Rows, _ range: Range<Int>? = nil, bias: [Float]? = nil, onto: [Float]? = nil,
        bounds: [Int]? = nil
    ) -> [Float] {
        let n = Int(w.weights.n)
        let range = range ?? 0..<rows.count
        var c = onto ?? [Float](repeating: .nan, count: range.count * n)
        let bounds = bounds ?? [0, (n + 31) / 32]
        withUnsafePointer(to: w.weights) { weights in
            c.withUnsafeMutableBufferPointer { c in
                (bias ?? []).withUnsafeBufferPointer { bias in
                    guard let base = c.baseAddress else { return }
                    var output = mk_output(
                        values: base, stride: n, bias: bias.isEmpty ? nil : bias.baseAddress, accumulate: onto != nil)
                    for (begin, end) in zip(bounds, bounds.dropFirst()) {
                        multiply(
                            weights, Int32(begin), Int32(end), rows.bytes.pointer + range.lowerBound * rows.stride,
                            rows.stride, Int32(range.count), &output)
                    }
                }
            }
        }
        return c
    }
}

func linear(_ isa: mk_isa) -> mk_linear_kernels { mk_linear_kernels_for(isa).pointee }
let plainLinear = linear(mk_isa_scalar)
