import Compute

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Attention with linear biases (ALiBi, arXiv 2108.12409): a score falls with the distance of query and key.
enum LinearBias {
    /// The slope of each head: for a power of two a geometric series; else that of the next smaller one, and then every
    /// other of the next larger one. In float, as transformers computes them (`modeling_bloom.py`).
    static func slopes(heads: Int) throws(ComputeError) -> FloatBuffer {
        var power = 1
        while 2 * power <= heads { power *= 2 }
        let slopes = try FloatBuffer(count: heads)
        let base = ratio(heads: power)
        for head in 0..<power { slopes.values[head] = powf(base, Float(head + 1)) }
        let finer = ratio(heads: 2 * power)
        for head in power..<heads { slopes.values[head] = powf(finer, Float(2 * (head - power) + 1)) }
        return slopes
    }

    /// The first slope of a power of two of heads, and the ratio of each to the one before: 2^(-8 / heads).
    private static func ratio(heads: Int) -> Float { Float(exp2(-8 / Double(heads))) }
}
