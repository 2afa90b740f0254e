/// How far the loading of a model has come.
public struct LoadProgress: Sendable {
    public enum Stage: String, Sendable {
        case tokenizer
        case weights
        case cache
        case ready
    }

    public let stage: Stage
    /// Share of this stage that is done, 0…1.
    public let fraction: Double
    /// What the user should know, for the log; nil as a rule.
    public var note: String?
}
