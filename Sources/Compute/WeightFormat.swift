import CKernels

/// How the weights of a linear layer are held, and with that in which form its input rows are multiplied.
///
/// `mk_format` says exactly what each stores and computes.
package enum WeightFormat: Hashable, Sendable {
    /// Rows stay in float: the reference.
    case float32
    /// Rows are rounded to bfloat16; sums are float.
    case bfloat16
    /// bfloat16 in about 12 bits, with the same results bit for bit; see `PackedLinear.compressed(pool:)`.
    case compressedBfloat16
    /// One scale for each output; rows become int8 with one scale each.
    case int8
    /// One scale for each `group` inputs of an output, 32 or 64; rows become int8 with one scale each.
    case int4(group: Int)

    package var kernelFormat: mk_format {
        switch self {
        case .float32: mk_format_float32
        case .bfloat16: mk_format_bfloat16
        case .compressedBfloat16: mk_format_bfloat16_compressed
        case .int8: mk_format_int8
        case .int4: mk_format_int4
        }
    }

    package var group: Int { if case .int4(let group) = self { group } else { 0 } }

    /// Whether weights are integers with scales.
    package var isRounded: Bool {
        switch self {
        case .int8, .int4: true
        default: false
        }
    }

    /// Whether rows prepared for weights of the other format serve this one too.
    package func takesRows(of other: WeightFormat) -> Bool {
        switch (self, other) {
        case (.bfloat16, .compressedBfloat16), (.compressedBfloat16, .bfloat16), (.int4, .int4): true
        default: self == other
        }
    }

    /// The format that holds what `storage` holds.
    package init(_ storage: StorageType) { self = storage == .float32 ? .float32 : .bfloat16 }
}

/// Element types in which tensors are stored; arithmetic is in float.
package enum StorageType: Sendable {
    case float32, float16, bfloat16

    package var kernelType: mk_storage {
        switch self {
        case .float32: mk_float32
        case .float16: mk_float16
        case .bfloat16: mk_bfloat16
        }
    }

    package var byteCount: Int { self == .float32 ? 4 : 2 }
}
