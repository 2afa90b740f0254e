import Checkpoints
import Engine

/// What `martlet bench latency` measured.
struct LatencyReport {
    let name: String
    let model: ModelInformation
    let machine: BenchMachine
    let inputLength: Int
    let outputLength: Int
    /// The requests of each run.
    let runs: [[RequestRecord]]

    /// From sending the batch to its last token, once for each run.
    var latencies: Distribution { Distribution(runs.map { $0.map(\.latency).max() ?? 0 }) }
    var timeToFirstToken: Distribution { Distribution(runs.joined().map(\.timeToFirstToken)) }
    var timePerOutputToken: Distribution { Distribution(runs.joined().compactMap(\.timePerOutputToken)) }
    var prefill: Distribution { Distribution(runs.compactMap(Self.prefillRate)) }
    var decode: Distribution { Distribution(runs.compactMap(Self.decodeRate)) }

    /// Prompt tokens in a second until every request of the batch has its first token.
    static func prefillRate(_ run: [RequestRecord]) -> Double? {
        guard let start = run.map(\.sent).min(), let end = run.compactMap(\.arrivals.first).max(), end > start else {
            return nil
        }
        return Double(run.reduce(0) { $0 + $1.promptTokens }) / (end - start)
    }

    /// Tokens in a second after every request has its first one; nil when none came after that.
    static func decodeRate(_ run: [RequestRecord]) -> Double? {
        guard let start = run.compactMap(\.arrivals.first).max(), let end = run.compactMap(\.arrivals.last).max(),
            end > start
        else { return nil }
        return Double(run.reduce(0) { $0 + $1.arrivals.count { $0 > start } }) / (end - start)
    }

    /// Bytes that a step of decoding must read: the weights once, and the keys and values of every request, which are in
    /// the middle of its output on average.
    var bytesPerStep: Int {
        let batch = runs.first?.count ?? 0
        return model.weightBytesPerStep + batch * model.cacheBytesPerToken * (inputLength + outputLength / 2)
    }

    /// Bytes that decoding reads in a second, if it reads what it must; nil where nothing was decoded.
    var bytesRead: Double? {
        guard !decode.values.isEmpty, let batch = runs.first?.count, batch > 0 else { return nil }
        return decode.median / Double(batch) * Double(bytesPerStep)
    }

    /// Its part of what the memory allows.
    var rooflineShare: Double? {
        guard let bytesRead, let bandwidth = machine.bandwidth, bandwidth > 0 else { return nil }
        return bytesRead / bandwidth
    }
}

// MARK: Output

extension LatencyReport {
    private static let percents: [Double] = [10, 25, 50, 75, 90, 99]

    func text(_ terminal: Terminal) -> String {
        let batch = runs.first?.count ?? 0
        var lines = [
            "\(terminal.bold(name)) · \(model.summary) · batch \(batch), \(inputLength) in, \(outputLength) out, "
                + "\(runs.count) runs",
            "",
            row("", ["mean", "p50", "p90", "p99"]), times("latency of the batch", latencies),
            times("time to first token", timeToFirstToken),
        ]
        if !timePerOutputToken.values.isEmpty { lines.append(times("time per output token", timePerOutputToken)) }
        lines += ["", "prefill  " + rate(prefill)]
        if !decode.values.isEmpty { lines.append("decode   " + rate(decode)) }
        if let bytesRead, let rooflineShare {
            lines.append(
                "memory   \(Format.bytes(bytesPerStep)) a step, \(Format.fixed(bytesRead / 1e9, 1)) GB/s: "
                    + "\(Format.fixed(rooflineShare * 100, 0)) % of the limit")
        }
        return machine.text(terminal) + lines.joined(separator: "\n") + "\n"
    }

    private func times(_ title: String, _ values: Distribution) -> String {
        row(
            title,
            [values.mean, values.median, values.percentile(90), values.percentile(99)].map {
                Format.rate($0 * 1000) + " ms"
            })
    }

    private func rate(_ values: Distribution) -> String {
        "\(Format.rate(values.median)) tok/s (\(Format.rate(values.percentile(0)))…\(Format.rate(values.percentile(100))))"
    }

    private func row(_ title: String, _ cells: [String]) -> String {
        title + String(repeating: " ", count: max(0, 22 - title.count))
            + cells.map { String(repeating: " ", count: max(1, 13 - $0.count)) + $0 }.joined()
    }

    /// `avg_latency`, `latencies` and `percentiles` as `vllm bench latency` writes them, in seconds; what else was measured
    /// beside them.
    var json: JSONObject {
        var object = model.json(name: name)
        let measured: JSONObject = [
            "batch_size": .int(runs.first?.count ?? 0), "input_len": .int(inputLength),
            "output_len": .int(outputLength), "avg_latency": .double(latencies.mean),
            "latencies": .array(runs.map { .double($0.map(\.latency).max() ?? 0) }),
            "percentiles": .object(percentiles(latencies)),
            "mean_ttft_ms": .double(timeToFirstToken.mean * 1000),
            "ttft_ms": .object(percentiles(timeToFirstToken, scale: 1000)),
            "mean_tpot_ms": .double(timePerOutputToken.mean * 1000),
            "tpot_ms": .object(percentiles(timePerOutputToken, scale: 1000)),
            "prefill_tokens_per_second": .double(prefill.median),
            "decode_tokens_per_second": .double(decode.median),
            "bytes_per_step": .int(bytesPerStep),
        ]
        for (key, value) in measured { object[key] = value }
        object["bytes_read_per_second"] = bytesRead.map { .double($0.rounded()) }
        object["roofline_share"] = rooflineShare.map(JSONValue.double)
        for (key, value) in machine.json { object[key] = value }
        return object
    }

    private func percentiles(_ values: Distribution, scale: Double = 1) -> JSONObject {
        JSONObject(
            Self.percents.map { (LoadReport.percentName($0), JSONValue.double(values.percentile($0) * scale)) })
    }
}
