import Checkpoints

/// Rank and scale of each module as the configuration has them.
///
/// The two maps of patterns are looked up independently, each with its first matching key (PEFT's `get_pattern_key`).
struct LowRankSettings: Sendable {
    private let rank: Int
    private let alpha: Double
    private let ranks: PatternMap<Int>
    private let alphas: PatternMap<Double>
    /// Rank-stabilized: the scale is alpha / √rank.
    private let dividesByRoot: Bool

    private static let rankRange = 1...1 << 20
    private static let alphaRange = -1e9...1e9

    /// `alpha` is the name of the field: `lora_alpha` or `alpha`.
    init(_ fields: ConfigFields, alpha alphaField: String = "lora_alpha") throws(CheckpointError) {
        rank = try fields.int("r", in: Self.rankRange) ?? 8
        alpha = try fields.double(alphaField, in: Self.alphaRange) ?? 8
        dividesByRoot = try fields.bool("use_rslora") ?? false
        ranks = try PatternMap(fields, "rank_pattern") { (value, key) throws(CheckpointError) in
            guard let rank = value.int, Self.rankRange.contains(rank) else {
                throw fields.mismatch(
                    "rank_pattern",
                    "expected whole numbers from 1 to \(Self.rankRange.upperBound), "
                        + "found \(Self.shown(value)) for \(CheckpointError.quoted(key))")
            }
            return rank
        }
        alphas = try PatternMap(fields, "alpha_pattern") { (value, key) throws(CheckpointError) in
            guard let alpha = value.double, Self.alphaRange.contains(alpha) else {
                throw fields.mismatch(
                    "alpha_pattern",
                    "expected numbers, found \(Self.shown(value)) for \(CheckpointError.quoted(key))")
            }
            return alpha
        }
    }

    private static func shown(_ value: JSONValue) -> String {
        value.double.map { "\($0)" } ?? "a value of type \(value.kind)"
    }

    /// Rank and scale of `module`.
    func settings(
        for module: String, _ budget: inout MatchBudget
    ) throws(CheckpointError) -> (rank: Int, scale: Double) {
        let rank = try ranks.value(for: module, &budget) ?? rank
        let alpha = try alphas.value(for: module, &budget) ?? alpha
        return (rank, alpha / (dividesByRoot ? Double(rank).squareRoot() : Double(rank)))
    }
}
