import Checkpoints

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Inverse frequencies of a rotary embedding, in float as transformers computes them.
///
/// Source of the rules: `modeling_rope_utils.py` of transformers 5. Two types depend on the length of a sequence there,
/// which would make a token's keys change when its sequence grows; here they depend on the model alone:
/// - `dynamic` differs from `default` only beyond `max_position_embeddings`, which is the most that is served;
/// - `longrope` uses its long factors where the model's length exceeds the original one, as vLLM does.
struct RopeFrequencies {
    /// One for each pair of rotated channels.
    let inverse: [Float]
    /// What cosine and sine are multiplied with.
    let scale: Float

    init(_ parameters: RopeParameters, headDim: Int, maxPositions: Int) {
        let dim = parameters.rotaryDimension(headDimension: headDim)
        let powers = (0..<dim / 2).map { powf(Float(parameters.theta), Float(2 * $0) / Float(dim)) }
        let plain = powers.map { 1 / $0 }
        var scale: Double = 1
        switch parameters.scaling {
        case .none, .dynamic:
            inverse = plain
        case .linear(let factor):
            inverse = plain.map { $0 / Float(factor) }
        case .llama3(let llama3):
            inverse = plain.map { Self.scaled($0, llama3) }
        case .yarn(let yarn):
            inverse = Self.scaled(powers, yarn, theta: parameters.theta, dim: dim)
            scale = yarn.attentionFactor
        case .longrope(let longrope):
            let isLong = maxPositions > longrope.originalMaximumPositions
            let factors = isLong ? longrope.longFactors : longrope.shortFactors
            inverse = zip(powers, factors).map { 1 / (Float($1) * $0) }
            scale = longrope.attentionFactor
        }
        self.scale = Float(scale)
    }

    /// Long wavelengths are stretched, short ones stay, those between are blended.
    private static func scaled(_ frequency: Float, _ rule: RopeScaling.Llama3) -> Float {
        let original = Float(rule.originalMaximumPositions)
        let low = Float(rule.lowFrequencyFactor)
        let high = Float(rule.highFrequencyFactor)
        let factor = Float(rule.factor)
        let wavelength = 2 * Float.pi / frequency
        if wavelength < original / high { return frequency }
        if wavelength > original / low { return frequency / factor }
        let smooth = (original / wavelength - low) / (high - low)
        return (1 - smooth) * frequency / factor + smooth * frequency
    }

    /// Blends stretched and plain frequencies by a ramp over the channels, between two numbers of rotations.
    private static func scaled(_ powers: [Float], _ rule: RopeScaling.Yarn, theta: Double, dim: Int) -> [Float] {
        func channel(rotations: Double) -> Double {
            Double(dim) * log(Double(rule.originalMaximumPositions) / (rotations * 2 * Double.pi)) / (2 * log(theta))
        }
        var low = channel(rotations: rule.betaFast)
        var high = channel(rotations: rule.betaSlow)
        if rule.truncate {
            low = low.rounded(.down)
            high = high.rounded(.up)
        }
        low = max(low, 0)
        high = min(high, Double(dim - 1))
        if low == high { high += 0.001 }
        return powers.enumerated().map { index, power in
            let ramp = min(max((Float(index) - Float(low)) / Float(high - low), 0), 1)
            let plainPart = 1 - ramp
            return 1 / (Float(rule.factor) * power) * (1 - plainPart) + 1 / power * plainPart
        }
    }
}
