#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// How rotary position embeddings are computed, from the transformers 4 or 5 spelling, all defaults filled in.
///
/// Source of the rules: `modeling_rope_utils.py` of transformers 5.
package struct RopeParameters: Sendable, Equatable {
    /// Base of the frequencies.
    package var theta: Double
    /// Part of each head that is rotated, from its start; above 0, at most 1.
    package var partialRotaryFactor: Double
    package var scaling: RopeScaling

    package init(theta: Double, partialRotaryFactor: Double = 1, scaling: RopeScaling = .none) {
        self.theta = theta
        self.partialRotaryFactor = partialRotaryFactor
        self.scaling = scaling
    }

    /// Number of elements of a head that are rotated.
    package func rotaryDimension(headDimension: Int) -> Int { Int(Double(headDimension) * partialRotaryFactor) }
}

/// The way in which a model's rotary embeddings were stretched to longer contexts (`rope_type`).
package enum RopeScaling: Sendable, Equatable {
    /// `default`: not at all.
    case none
    /// `linear`: positions are divided by `factor`.
    case linear(factor: Double)
    /// `dynamic`: the base grows with the sequence beyond `maximumPositions`.
    case dynamic(factor: Double, maximumPositions: Int)
    case llama3(Llama3)
    case yarn(Yarn)
    /// `longrope`, formerly `su`.
    case longrope(Longrope)

    package struct Llama3: Sendable, Equatable {
        package var factor: Double
        package var lowFrequencyFactor: Double
        package var highFrequencyFactor: Double
        package var originalMaximumPositions: Int
    }

    package struct Yarn: Sendable, Equatable {
        package var factor: Double
        package var originalMaximumPositions: Int
        /// What cosine and sine are multiplied with; from `attention_factor`, or from `factor` and the `mscale` fields.
        package var attentionFactor: Double
        package var betaFast: Double
        package var betaSlow: Double
        /// Whether the bounds of the ramp are rounded outward to whole dimensions.
        package var truncate: Bool
    }

    package struct Longrope: Sendable, Equatable {
        /// Divisors of the frequencies for sequences up to `originalMaximumPositions`, one for each pair of dimensions.
        package var shortFactors: [Double]
        /// The same for longer sequences.
        package var longFactors: [Double]
        package var originalMaximumPositions: Int
        /// What cosine and sine are multiplied with.
        package var attentionFactor: Double
    }
}

/// What the reader of rope fields needs to know of the rest of the configuration.
struct RopeContext {
    var headDimension: Int
    var maximumPositions: Int
    /// Names in `layer_types`: the keys under which transformers 5 nests parameters for each kind of layer.
    var layerTypes: Set<String>
}

extension RopeParameters {
    private static let factors = 1e-6...1e6
    private static let thetas = 1.0.nextUp...1e15
    private static let positions = 2...ModelConfig.maximumPositions

    /// Reads the rope fields of `config.json`: one set for all layers under the key nil, or one for each kind of layer.
    ///
    /// As transformers does: a non-empty `rope_scaling` wins over `rope_parameters`; fields inside win over the same
    /// fields at the top.
    static func read(_ fields: ConfigFields, _ context: RopeContext) throws(CheckpointError) -> [String?:
        RopeParameters]
    {
        var inner = try fields.nested("rope_scaling")
        if inner?.object.isEmpty ?? true { inner = try fields.nested("rope_parameters") }
        guard let inner else {
            let empty = ConfigFields(file: fields.file, object: [:], prefix: "rope_parameters.")
            return [nil: try RopeParameters(empty, top: fields, context, isNested: false)]
        }
        let keys = inner.object.keys.filter { context.layerTypes.contains($0) }
        guard !keys.isEmpty else { return [nil: try RopeParameters(inner, top: fields, context, isNested: false)] }
        var result: [String?: RopeParameters] = [:]
        for key in keys {
            guard let nested = try inner.nested(key) else { continue }
            result[key] = try RopeParameters(nested, top: fields, context, isNested: true)
        }
        return result
    }

    private init(
        _ fields: ConfigFields, top: ConfigFields, _ context: RopeContext, isNested: Bool
    ) throws(CheckpointError) {
        let outerTheta = try top.double("rope_theta", in: Self.thetas) ?? 10_000
        theta = try fields.double("rope_theta", in: Self.thetas) ?? outerTheta
        let parts = Double.leastNormalMagnitude...1
        let oldest = try top.double("rotary_pct", in: parts) ?? 1
        let outer = try top.double("partial_rotary_factor", in: parts) ?? oldest
        partialRotaryFactor = try fields.double("partial_rotary_factor", in: parts) ?? outer
        scaling = .none
        let rotated = rotaryDimension(headDimension: context.headDimension)
        guard rotated >= 2, rotated.isMultiple(of: 2) else {
            throw fields.mismatch(
                "partial_rotary_factor",
                "rotates \(rotated) of \(context.headDimension) elements of a head, expected an even number")
        }
        let oldType = try fields.string("type") ?? "default"
        let type = try fields.string("rope_type") ?? oldType
        let original = try Self.originalPositions(fields, top: top, context, isNested: isNested)
        switch type {
        case "default": break
        case "linear": scaling = .linear(factor: try fields.requiredDouble("factor", in: Self.factors))
        case "dynamic":
            guard rotated > 2 else {
                throw fields.mismatch("rope_type", "'dynamic' needs more than 2 rotated elements")
            }
            scaling = .dynamic(
                factor: try fields.requiredDouble("factor", in: Self.factors),
                maximumPositions: context.maximumPositions)
        case "llama3": scaling = .llama3(try .init(fields, original: original))
        case "yarn": scaling = .yarn(try .init(fields, original: original, context))
        case "longrope", "su": scaling = .longrope(try .init(fields, original: original, context, pairs: rotated / 2))
        default:
            throw fields.mismatch(
                "rope_type",
                "\(CheckpointError.quoted(type)) is not supported, expected one of 'default', 'linear', "
                    + "'dynamic', 'llama3', 'yarn', 'longrope'", kind: .unsupported)
        }
    }

    /// Context length before stretching; where layers share one set of parameters, the field at the top goes first.
    private static func originalPositions(
        _ fields: ConfigFields, top: ConfigFields, _ context: RopeContext, isNested: Bool
    ) throws(CheckpointError) -> Int {
        let name = "original_max_position_embeddings"
        if !isNested, let outer = try top.int(name, in: positions) { return outer }
        return try fields.int(name, in: positions) ?? context.maximumPositions
    }
}

extension RopeScaling.Llama3 {
    init(_ fields: ConfigFields, original: Int) throws(CheckpointError) {
        let range = 1e-6...1e6
        factor = try fields.requiredDouble("factor", in: range)
        lowFrequencyFactor = try fields.requiredDouble("low_freq_factor", in: range)
        highFrequencyFactor = try fields.requiredDouble("high_freq_factor", in: range)
        originalMaximumPositions = original
        guard lowFrequencyFactor < highFrequencyFactor else {
            throw fields.mismatch(
                "high_freq_factor",
                "is \(highFrequencyFactor), expected more than low_freq_factor, \(lowFrequencyFactor)")
        }
    }
}

extension RopeScaling.Yarn {
    init(_ fields: ConfigFields, original: Int, _ context: RopeContext) throws(CheckpointError) {
        let range = 1e-6...1e6
        factor = try fields.double("factor", in: range) ?? Double(context.maximumPositions) / Double(original)
        originalMaximumPositions = original
        betaFast = try fields.double("beta_fast", in: 0...1e6).flatMap { $0 == 0 ? nil : $0 } ?? 32
        betaSlow = try fields.double("beta_slow", in: 0...1e6).flatMap { $0 == 0 ? nil : $0 } ?? 1
        truncate = try fields.bool("truncate") ?? true
        guard betaSlow < betaFast else {
            throw fields.mismatch("beta_fast", "is \(betaFast), expected more than beta_slow, \(betaSlow)")
        }
        let scale = try fields.double("mscale", in: 0...1e6) ?? 0
        let scaleOfAll = try fields.double("mscale_all_dim", in: 0...1e6) ?? 0
        let factor = factor
        func magnitude(_ scale: Double) -> Double { factor <= 1 ? 1 : 0.1 * scale * log(factor) + 1 }
        attentionFactor =
            try fields.double("attention_factor", in: 0...1e6)
            ?? (scale != 0 && scaleOfAll != 0 ? magnitude(scale) / magnitude(scaleOfAll) : magnitude(1))
    }
}

extension RopeScaling.Longrope {
    init(
        _ fields: ConfigFields, original: Int, _ context: RopeContext, pairs: Int
    ) throws(CheckpointError) {
        shortFactors = try Self.factors(fields, "short_factor", count: pairs)
        longFactors = try Self.factors(fields, "long_factor", count: pairs)
        originalMaximumPositions = original
        let factor = try fields.double("factor", in: 1e-6...1e6) ?? Double(context.maximumPositions) / Double(original)
        attentionFactor =
            try fields.double("attention_factor", in: 0...1e6)
            ?? (factor <= 1 ? 1 : (1 + log(factor) / log(Double(original))).squareRoot())
    }

    private static func factors(
        _ fields: ConfigFields, _ name: String, count: Int
    ) throws(CheckpointError) -> [Double] {
        guard let factors = try fields.doubles(name, in: 1e-6...1e6) else {
            throw fields.mismatch(name, "is missing, expected \(count) numbers", kind: .missing)
        }
        guard factors.count == count else {
            throw fields.mismatch(name, "expected \(count) numbers, half the rotated elements, found \(factors.count)")
        }
        return factors
    }
}
