/// A tensor in a mapped file: row-major elements, little-endian, aligned for its type.
///
/// The view keeps its memory alive; `bytes` taken out of it are valid as long as the view, or its store, lives.
package struct TensorView: @unchecked Sendable {
    package let name: String
    package let dtype: TensorDType
    /// Sizes of the dimensions, outermost first; empty for a scalar.
    package let shape: [Int]
    package let bytes: UnsafeRawBufferPointer
    /// What keeps `bytes` valid; for views of parts.
    package let owner: AnyObject?

    /// A view of `bytes`, which must be valid as long as `owner` lives.
    package init(name: String, dtype: TensorDType, shape: [Int], bytes: UnsafeRawBufferPointer, owner: AnyObject?) {
        self.name = name
        self.dtype = dtype
        self.shape = shape
        self.bytes = bytes
        self.owner = owner
    }

    /// Runs `body` on the elements' bytes and keeps them valid until it returns.
    package func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        defer { extendLifetime(owner) }
        return try body(bytes)
    }

    /// Number of elements; the header was checked, so this cannot overflow.
    package var count: Int { shape.reduce(1, *) }
}
