/// What was seen of one request, in seconds on the clock of the run.
struct RequestRecord: Sendable, Equatable {
    var sent: Double
    /// When pieces of the output came: one for each token, or for each event of a stream.
    var arrivals: [Double] = []
    var promptTokens = 0
    var outputTokens = 0
    /// The name that the request asked for, where the run mixes several.
    var adapter: String?
    /// Why it failed; nil where it did not.
    var failure: String?

    init(sent: Double, adapter: String? = nil) {
        self.sent = sent
        self.adapter = adapter
    }

    var succeeded: Bool { failure == nil && !arrivals.isEmpty }

    /// Time to the first token.
    var timeToFirstToken: Double { (arrivals.first ?? sent) - sent }

    /// From sending to the last token.
    var latency: Double { (arrivals.last ?? sent) - sent }

    /// Mean time for a token after the first; nil where there is only one.
    var timePerOutputToken: Double? {
        outputTokens > 1 ? (latency - timeToFirstToken) / Double(outputTokens - 1) : nil
    }

    /// Times between arrivals.
    var interTokenLatencies: [Double] { zip(arrivals, arrivals.dropFirst()).map { $1 - $0 } }
}
