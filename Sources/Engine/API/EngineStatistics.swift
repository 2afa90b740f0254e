/// A histogram with fixed bucket bounds, as Prometheus counts them.
public struct Histogram: Sendable {
    /// Upper bounds, ascending; a last bucket without bound is implied.
    public let bounds: [Double]
    /// Observations in each bucket (not cumulative), one more than `bounds`.
    public private(set) var counts: [Int]
    public private(set) var sum = 0.0
    public private(set) var count = 0

    public init(bounds: [Double]) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count + 1)
    }

    /// O(log buckets).
    public mutating func observe(_ value: Double) {
        var low = 0
        var high = bounds.count
        while low < high {
            let middle = (low + high) / 2
            if value <= bounds[middle] { high = middle } else { low = middle + 1 }
        }
        counts[low] += 1
        sum += value
        count += 1
    }
}

/// Counters and gauges of an engine at one moment; names follow vLLM's metrics (`vllm:` prefix on the wire).
public struct EngineStatistics: Sendable {
    // Gauges
    public var requestsRunning = 0
    public var requestsWaiting = 0
    /// Share of the KV blocks in use, 0…1.
    public var cacheUsage = 0.0
    public var blockSize = 0
    public var blockCount = 0
    /// Bytes of the KV blocks that hold content, in use or kept for reuse.
    public var cacheBytes = 0
    /// Bytes of the packed weights of adapters.
    public var adapterBytes = 0
    /// Bytes that KV blocks and all else that grows with use may take together.
    public var memoryBudget = 0

    /// What each adapter was used for.
    public var adapters = AdapterStatisticsTable()

    // Counters
    public var promptTokens = 0
    public var promptTokensCached = 0
    public var generationTokens = 0
    public var preemptions = 0
    public var prefixCacheQueries = 0
    public var prefixCacheHits = 0
    public var finished: [FinishReason: Int] = [:]
    /// Seconds that the engine's steps took, with all that belongs to them.
    public var stepSeconds = 0.0
    /// The part of `stepSeconds` in which the threads computed; the rest is scheduling and bookkeeping.
    public var kernelSeconds = 0.0
    /// Requests refused because the queue was full.
    public var rejections = 0

    // Histograms, in seconds or tokens
    public var timeToFirstToken = Histogram(bounds: Bounds.timeToFirstToken)
    public var interTokenLatency = Histogram(bounds: Bounds.interToken)
    public var timePerOutputToken = Histogram(bounds: Bounds.interToken)
    public var endToEndLatency = Histogram(bounds: Bounds.latency)
    public var queueTime = Histogram(bounds: Bounds.latency)
    public var inferenceTime = Histogram(bounds: Bounds.latency)
    public var prefillTime = Histogram(bounds: Bounds.latency)
    public var decodeTime = Histogram(bounds: Bounds.latency)
    public var requestPromptTokens: Histogram
    public var requestGenerationTokens: Histogram
    public var requestMaxGenerationTokens: Histogram
    public var requestPreemptions = Histogram(bounds: [0, 1, 2, 5, 10])
    public var requestChoices = Histogram(bounds: [1, 2, 5, 10, 20])
    public var requestMaxTokens: Histogram
    public var prefillComputedTokens: Histogram
    public var iterationTokens = Histogram(bounds: Bounds.iteration)

    public init(maxModelLength: Int) {
        let tokens = Histogram(bounds: Bounds.tokens(upTo: maxModelLength))
        requestPromptTokens = tokens
        requestGenerationTokens = tokens
        requestMaxGenerationTokens = tokens
        requestMaxTokens = tokens
        prefillComputedTokens = tokens
    }

    /// Bucket bounds of vLLM (`vllm/v1/metrics/buckets.py`), so that dashboards made for it fit.
    enum Bounds {
        static let latency: [Double] = [
            0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680,
        ]
        static let timeToFirstToken: [Double] = [
            0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640,
            2560,
        ]
        static let interToken: [Double] = [
            0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80,
        ]
        static let iteration: [Double] = [1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384]

        /// 1-2-5 series up to `limit`.
        static func tokens(upTo limit: Int) -> [Double] {
            var bounds: [Double] = []
            var scale = 1.0
            while true {
                for digit in [1.0, 2, 5] {
                    guard digit * scale <= Double(max(limit, 1)) else { return bounds }
                    bounds.append(digit * scale)
                }
                scale *= 10
            }
        }
    }
}
