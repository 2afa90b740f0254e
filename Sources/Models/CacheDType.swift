import CKernels

/// The type in which KV entries are held, independent of the weights' type; arithmetic is in float.
package enum CacheDType: String, Sendable, CaseIterable {
    case float32
    /// 8 bits of precision, half of the bytes of float32.
    case bfloat16
    /// 8-bit integers with a float32 scale for every token and KV head, for K and for V: about a quarter of the bytes of
    /// float32. `mk_cache_shape` says how values are rounded.
    case int8

    var kernelType: mk_storage {
        switch self {
        case .float32: mk_float32
        case .bfloat16: mk_bfloat16
        case .int8: mk_int8
        }
    }
}

extension ModelShape {
    /// The cache's type where none is asked for: that of the weights.
    package var defaultCacheDType: CacheDType { dtype == .bfloat16 ? .bfloat16 : .float32 }
}
