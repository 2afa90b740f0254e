import SyntheticModels

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// When the requests of a run are sent.
enum ArrivalTimes {
    /// Ascending seconds from the start of the run, the first at 0 for an infinite rate and after one gap otherwise.
    ///
    /// Gaps are drawn from a gamma distribution, with `burstiness` 1 a Poisson process, and then scaled so that the last
    /// request comes at exactly `count / rate`: vLLM's rule, which lets runs of one rate last equally long.
    /// - Parameters:
    ///   - rate: requests in a second; infinity sends all at once.
    ///   - burstiness: the distribution's shape; below 1 requests come in bursts, above 1 more evenly.
    static func draw(
        count: Int, rate: Double, burstiness: Double = 1, using generator: inout SplitMix64
    ) -> [Double] {
        guard rate.isFinite else { return Array(repeating: 0, count: count) }
        var times: [Double] = []
        var time = 0.0
        for _ in 0..<count {
            time += gamma(shape: burstiness, using: &generator)
            times.append(time)
        }
        guard time > 0 else { return Array(repeating: 0, count: count) }
        let scale = Double(count) / rate / time
        return times.map { $0 * scale }
    }

    /// A number of the gamma distribution with scale 1 (Marsaglia and Tsang 2000).
    static func gamma(shape: Double, using generator: inout SplitMix64) -> Double {
        if shape == 1 { return -log(1 - Double.random(in: 0..<1, using: &generator)) }
        if shape < 1 {
            let power = pow(1 - Double.random(in: 0..<1, using: &generator), 1 / shape)
            return gamma(shape: shape + 1, using: &generator) * power
        }
        let d = shape - 1.0 / 3
        let c = 1 / (9 * d).squareRoot()
        while true {
            let x = normal(using: &generator)
            let cube = (1 + c * x) * (1 + c * x) * (1 + c * x)
            guard cube > 0 else { continue }
            let u = 1 - Double.random(in: 0..<1, using: &generator)
            if log(u) < 0.5 * x * x + d - d * cube + d * log(cube) { return d * cube }
        }
    }

    /// A number of the standard normal distribution (Box and Muller 1958).
    private static func normal(using generator: inout SplitMix64) -> Double {
        let radius = (-2 * log(1 - Double.random(in: 0..<1, using: &generator))).squareRoot()
        return radius * cos(2 * .pi * Double.random(in: 0..<1, using: &generator))
    }
}
