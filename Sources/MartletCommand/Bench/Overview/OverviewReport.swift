import Checkpoints
import Engine

/// What `martlet bench overview` measured.
struct OverviewReport {
    /// Tokens in a second, once for each repeat.
    struct Sample: Equatable {
        let batch: Int
        let rates: [Double]

        var median: Double? { Median.of(rates) }
        var lowest: Double? { rates.min() }
        var highest: Double? { rates.max() }
    }

    let name: String
    let model: ModelInformation
    let machine: BenchMachine
    let prefill: Sample
    let decode: [Sample]

    /// Steps in a second if reading the weights were all the work.
    var stepLimit: Double? { machine.bandwidth.map { $0 / Double(max(1, model.weightBytesPerStep)) } }

    func text(_ terminal: Terminal) -> String {
        var lines = ["\(terminal.bold(name)) · \(model.summary)"]
        if let bandwidth = machine.bandwidth, let stepLimit {
            lines.append(
                terminal.dim(
                    "memory limit: \(Format.bytes(model.weightBytesPerStep)) of weights, "
                        + "\(Format.fixed(bandwidth / 1e9, 1)) GB/s, so \(Format.rate(stepLimit)) steps/s"))
        }
        lines.append("prefill           " + Self.numbers(prefill))
        for sample in decode {
            var line = "decode, batch " + Self.padded("\(sample.batch)", 4) + Self.numbers(sample)
            if let median = sample.median, let stepLimit {
                let share = median / (stepLimit * Double(sample.batch))
                line += terminal.dim(" · \(Format.fixed(share * 100, 0)) % of the memory limit")
            }
            lines.append(line)
        }
        return machine.text(terminal) + lines.joined(separator: "\n") + "\n"
    }

    private static func numbers(_ sample: Sample) -> String {
        guard let median = sample.median, let lowest = sample.lowest, let highest = sample.highest else {
            return "not measured: generate more tokens with --output-tokens"
        }
        return "\(Format.rate(median)) tok/s (\(Format.rate(lowest))…\(Format.rate(highest)))"
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    var json: JSONObject {
        var object = model.json(name: name)
        for (key, value) in machine.json { object[key] = value }
        object["prefill"] = .object(json(prefill))
        object["decode"] = .array(decode.map { .object(json($0)) })
        return object
    }

    private func json(_ sample: Sample) -> JSONObject {
        var object: JSONObject = ["batch": .int(sample.batch)]
        object["tokens_per_second"] = sample.median.map(JSONValue.double) ?? .null
        object["runs"] = .array(sample.rates.map(JSONValue.double))
        if let stepLimit { object["memory_limit_tokens_per_second"] = .double(stepLimit * Double(sample.batch)) }
        return object
    }
}
