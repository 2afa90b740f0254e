/// A token with its log probability under the model's own distribution, before penalties and temperature.
public struct TokenLogprob: Sendable, Equatable {
    public let token: Int32
    public let logprob: Float
    /// 1 for the most probable token.
    public let rank: Int

    public init(token: Int32, logprob: Float, rank: Int) {
        self.token = token
        self.logprob = logprob
        self.rank = rank
    }
}

/// Log probabilities at one position: the token that stands there and the most probable ones, best first.
public struct PositionLogprobs: Sendable, Equatable {
    public let chosen: TokenLogprob
    public let top: [TokenLogprob]

    public init(chosen: TokenLogprob, top: [TokenLogprob]) {
        self.chosen = chosen
        self.top = top
    }
}
