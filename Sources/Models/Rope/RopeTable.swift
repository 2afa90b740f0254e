import CKernels
import Checkpoints
import Compute

/// Cosines and sines of a rotary embedding, by position; grows with the longest sequence seen.
final class RopeTable {
    /// Channels of a head that are rotated.
    let rotary: Int
    private let frequencies: RopeFrequencies
    private var positions = 0
    private var cosines: FloatBuffer
    private var sines: FloatBuffer

    init(_ parameters: RopeParameters, headDim: Int, maxPositions: Int) throws {
        frequencies = RopeFrequencies(parameters, headDim: headDim, maxPositions: maxPositions)
        rotary = 2 * frequencies.inverse.count
        cosines = try FloatBuffer(count: 0)
        sines = try FloatBuffer(count: 0)
    }

    /// Makes the table cover positions below `count`. O(count) when it has to grow, which doubles it.
    func reserve(_ count: Int) throws {
        guard count > positions else { return }
        let capacity = max(count, 2 * positions, 512)
        let half = rotary / 2
        cosines = try FloatBuffer(count: capacity * half)
        sines = try FloatBuffer(count: capacity * half)
        mk_rope_table(
            frequencies.inverse, Int32(half), 0, Int32(capacity), frequencies.scale, cosines.values, sines.values)
        positions = capacity
    }

    /// The two rows of a position; valid until the table grows.
    func cosine(_ position: Int) -> UnsafePointer<Float> { UnsafePointer(cosines.values + position * rotary / 2) }
    func sine(_ position: Int) -> UnsafePointer<Float> { UnsafePointer(sines.values + position * rotary / 2) }
}
