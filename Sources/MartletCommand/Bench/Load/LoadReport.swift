import Checkpoints

/// What a run of many requests measured; JSON fields have the names that `vllm bench serve` gives them.
struct LoadReport {
    let records: [RequestRecord]
    /// From the start to the end of the last request.
    let seconds: Double
    var levels: [ServiceLevel] = []
    /// Percentiles that are reported beside the median.
    var percentiles: [Double] = [90, 99]

    var succeeded: [RequestRecord] { records.filter(\.succeeded) }
    var inputTokens: Int { succeeded.reduce(0) { $0 + $1.promptTokens } }
    var outputTokens: Int { succeeded.reduce(0) { $0 + $1.outputTokens } }

    /// Per second of the whole run.
    func rate(_ count: Int) -> Double { seconds > 0 ? Double(count) / seconds : 0 }

    /// The latencies with their short names, in seconds.
    struct Metric {
        let name: String
        let title: String
        let values: Distribution
    }

    var metrics: [Metric] {
        let done = succeeded
        return [
            Metric(name: "ttft", title: "Time to First Token", values: Distribution(done.map(\.timeToFirstToken))),
            Metric(
                name: "tpot", title: "Time per Output Token (excl. 1st token)",
                values: Distribution(done.compactMap(\.timePerOutputToken))),
            Metric(
                name: "itl", title: "Inter-token Latency", values: Distribution(done.flatMap(\.interTokenLatencies))),
            Metric(name: "e2el", title: "End-to-end Latency", values: Distribution(done.map(\.latency))),
        ]
    }

    /// Different reasons of failures with how often each came, the most frequent first.
    var failures: [(reason: String, count: Int)] {
        var counts: [String: Int] = [:]
        for record in records where !record.succeeded { counts[record.failure ?? "no output", default: 0] += 1 }
        return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { ($0.key, $0.value) }
    }
}

// MARK: Output

extension LoadReport {
    private static let width = 50

    func text(_ terminal: Terminal) -> String {
        var lines = [terminal.bold(Self.ruled("Serving Benchmark Result", "="))]
        lines += [
            Self.row("Successful requests:", "\(succeeded.count)"),
            Self.row("Failed requests:", "\(records.count - succeeded.count)"),
            Self.row("Benchmark duration (s):", Format.fixed(seconds, 2)),
            Self.row("Total input tokens:", "\(inputTokens)"),
            Self.row("Total generated tokens:", "\(outputTokens)"),
            Self.row("Request throughput (req/s):", Format.fixed(rate(succeeded.count), 2)),
        ]
        if !levels.isEmpty {
            lines.append(Self.row("Request goodput (req/s):", Format.fixed(rate(levels.goodCount(records)), 2)))
        }
        lines += [
            Self.row("Output token throughput (tok/s):", Format.fixed(rate(outputTokens), 2)),
            Self.row("Total token throughput (tok/s):", Format.fixed(rate(inputTokens + outputTokens), 2)),
        ]
        for metric in metrics where !metric.values.values.isEmpty { lines += rows(metric) }
        lines += adapterRows + [String(repeating: "=", count: Self.width)]
        lines += failures.prefix(5).map { terminal.red("\($0.count) failed: ") + $0.reason }
        return lines.joined(separator: "\n") + "\n"
    }

    private func rows(_ metric: Metric) -> [String] {
        let name = metric.name.uppercased()
        var rows = [
            Self.ruled(metric.title, "-"), Self.row("Mean \(name) (ms):", Self.milliseconds(metric.values.mean)),
            Self.row("Median \(name) (ms):", Self.milliseconds(metric.values.median)),
        ]
        for percent in percentiles {
            rows.append(
                Self.row(
                    "P\(Self.percentName(percent)) \(name) (ms):",
                    Self.milliseconds(metric.values.percentile(percent))))
        }
        return rows
    }

    /// One row for each name that requests asked for, where there are several.
    private var adapterRows: [String] {
        let names = Set(records.compactMap(\.adapter)).sorted()
        guard !names.isEmpty else { return [] }
        return [Self.ruled("Requests by Model", "-")]
            + names.map { name in
                let own = records.filter { $0.adapter == name && $0.succeeded }
                let first = Distribution(own.map(\.timeToFirstToken)).median
                return Self.row("\(name):", "\(own.count), median TTFT \(Self.milliseconds(first)) ms")
            }
    }

    private static func milliseconds(_ seconds: Double) -> String { Format.fixed(seconds * 1000, 2) }

    static func percentName(_ percent: Double) -> String {
        percent == percent.rounded() ? "\(Int(percent))" : "\(percent)"
    }

    private static func row(_ name: String, _ value: String) -> String {
        name + String(repeating: " ", count: max(1, width - 10 - name.count)) + value
    }

    private static func ruled(_ title: String, _ rule: String) -> String {
        let rest = max(0, width - title.count - 2)
        return String(repeating: rule, count: rest / 2) + " \(title) " + String(repeating: rule, count: rest - rest / 2)
    }
}

extension LoadReport {
    /// - Parameter isDetailed: whether the values of every request are part of it.
    func json(isDetailed: Bool) -> JSONObject {
        var object: JSONObject = [
            "duration": .double(seconds), "completed": .int(succeeded.count),
            "failed": .int(records.count - succeeded.count),
            "total_input_tokens": .int(inputTokens), "total_output_tokens": .int(outputTokens),
            "request_throughput": .double(rate(succeeded.count)),
            "request_goodput": levels.isEmpty ? .null : .double(rate(levels.goodCount(records))),
            "output_throughput": .double(rate(outputTokens)),
            "total_token_throughput": .double(rate(inputTokens + outputTokens)),
        ]
        for metric in metrics {
            let values = metric.values
            object["mean_\(metric.name)_ms"] = .double(values.mean * 1000)
            object["median_\(metric.name)_ms"] = .double(values.median * 1000)
            object["std_\(metric.name)_ms"] = .double(values.deviation * 1000)
            for percent in percentiles {
                object["p\(Self.percentName(percent))_\(metric.name)_ms"] = .double(values.percentile(percent) * 1000)
            }
        }
        object["errors"] = .array(failures.map { ["reason": .string($0.reason), "count": .int($0.count)] })
        if isDetailed { object["requests"] = .array(records.map { .object(Self.json($0)) }) }
        return object
    }

    private static func json(_ record: RequestRecord) -> JSONObject {
        var object: JSONObject = [
            "start_time": .double(record.sent), "input_len": .int(record.promptTokens),
            "output_len": .int(record.outputTokens), "ttft": .double(record.timeToFirstToken),
            "itl": .array(record.interTokenLatencies.map(JSONValue.double)), "latency": .double(record.latency),
        ]
        object["model"] = record.adapter.map(JSONValue.string)
        object["error"] = record.failure.map(JSONValue.string)
        return object
    }
}
