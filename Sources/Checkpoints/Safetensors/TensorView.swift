/// A tensor in a mapped file: row-major elements, little-endian, aligned for its type.
///
/// `bytes` is valid as long as the `TensorStore` (or `SafetensorsFile`) that gave the view lives.
package struct TensorView: @unchecked Sendable {
    package let name: String
    package let dtype: TensorDType
    /// Sizes of the dimensions, outermost first; empty for a scalar.
    package let shape: [Int]
    package let bytes: UnsafeRawBufferPointer

    package init(name: String, dtype: TensorDType, shape: [Int], bytes: UnsafeRawBufferPointer) {
        self.name = name
        self.dtype = dtype
        self.shape = shape
        self.bytes = bytes
    }

    /// Number of elements; the header was checked, so this cannot overflow.
    package var count: Int { shape.reduce(1, *) }
}
